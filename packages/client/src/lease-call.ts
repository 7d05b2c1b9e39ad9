import { OpCode } from '@quorate/protocol';
import { Call } from './call.js';

/** The sync by which a lease is renewed: the leader takes part in the answer. Whether one came is the lease's affair. */
export class LeaseCall extends Call {
  constructor() {
    super({ type: OpCode.sync, path: '/' });
  }

  override onReply(): void {}

  override onFailure(): void {}
}
