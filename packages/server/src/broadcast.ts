import type { Zxid } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';

/** What a server needs of Zab below it: a `Replica`, or in tests a twin that commits by itself. It never calls back from inside a call. */
export interface Broadcast {
  /** Serving leader: the zxid of the next `propose`. */
  readonly nextZxid: Zxid;
  /** Serving leader. */
  propose(payload: Uint8Array): Zxid;
  /** Serving learner: a request to the leader, in order with `revalidate`. */
  request(payload: Uint8Array): void;
  /** Serving learner: a question to the leader. */
  revalidate(payload: Uint8Array): void;
  /** Leader. */
  answerRevalidate(to: Sid, payload: Uint8Array): void;
  /** Serving server: `onSynced(tag)` once all that is committed anywhere by now is applied here. */
  sync(tag: number): void;
}
