import { assert, OpCode } from '@quorate/protocol';
import { Call } from './call.js';

/** The closeSession request of a client that is being closed, and those who wait for the end. */
export class CloseCall extends Call {
  readonly done: (() => void)[] = [];
  readonly #onAnswered: () => void;

  constructor(onAnswered: () => void) {
    super({ type: OpCode.closeSession });
    this.#onAnswered = onAnswered;
  }

  override onReply(): void {
    this.#onAnswered();
  }

  override onFailure(): void {
    assert(false, 'the machine takes a close call out before it fails the others');
  }
}
