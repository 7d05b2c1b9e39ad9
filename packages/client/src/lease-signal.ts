/** The lease of a session as an AbortSignal, which everything that a session holds up can be bound to. */
import { allowManyListeners } from '@quorate/ports';
import { ZooKeeperError } from '@quorate/protocol';

export class LeaseSignal {
  readonly #keep: () => boolean;
  #controller = newController();

  /** @param keep has the lease kept from now on, and says whether it is good. */
  constructor(keep: () => boolean) {
    this.#keep = keep;
  }

  /** The signal of the present lease; where that is over, one that has aborted. */
  get current(): AbortSignal {
    if (this.#keep() && this.#controller.signal.aborted) this.#controller = newController();
    return this.#controller.signal;
  }

  abort(code: 'CONNECTION_LOSS' | 'SESSION_EXPIRED'): void {
    this.#controller.abort(new ZooKeeperError(code, reasons[code]));
  }
}

/** Each hold of the session is bound to it. */
function newController(): AbortController {
  const controller = new AbortController();
  allowManyListeners(controller.signal);
  return controller;
}

const reasons = {
  CONNECTION_LOSS: 'the lease of the session is over: no leader has answered for two thirds of its timeout, so its ephemerals may go',
  SESSION_EXPIRED: 'the session has ended, and its ephemerals with it',
} as const;
