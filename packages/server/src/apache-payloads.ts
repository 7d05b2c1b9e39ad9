/**
 * What a server of ours says to a leader of Apache's (`Learner`, `LearnerHandler`), made of what it would say to one of ours.
 *
 * Apache's leader does not know when a session came to a server, nor that servers keep connections over a change of leader: it is asked for each session, and its
 * answer that a session lives makes this server the owner. It answers a request of a server that is not the owner by an error txn, and a sync with no quorum asked.
 */
import { JuteReader, JuteWriter, OpCode } from '@quorate/protocol';
import type { ZookeeperPayloads } from '@quorate/zab';
import { splitForwardedRequest } from './forwarded-request.js';
import { decodeSessionMessage, encodeSessionMessage } from './session-messages.js';

const COUNT_BYTES = 4;
/** Of whom the sync is asked matters to nobody. */
const NO_SESSION = 0n;

/** For `zookeeperWire` under a `Server`. */
export const zookeeperPayloads: ZookeeperPayloads = {
  request: splitForwardedRequest,

  syncRequest() {
    const writer = new JuteWriter();
    writer.long(NO_SESSION);
    writer.int(0);
    writer.int(OpCode.sync);
    writer.string('/');
    return writer.finish();
  },

  revalidations(payload) {
    const message = decodeSessionMessage(payload);
    if (message.type === 'renew') return [sessionBytes(message.session, message.timeOut)];
    return message.type === 'hold' ? message.sessions.map(({ id, timeOut }) => sessionBytes(id, timeOut)) : [];
  },

  revalidated(data, lastZxid) {
    const reader = new JuteReader(data);
    const session = reader.long();
    const lives = reader.bool();
    // The later of two answers about a session stands above the earlier one, wherever txns were made in between.
    return encodeSessionMessage({ type: 'renewed', session, lives, zxid: lastZxid, stamp: lastZxid });
  },

  // The same list, with nothing in front.
  heartbeat: (payload) => payload.subarray(COUNT_BYTES),
};

function sessionBytes(session: bigint, timeOut: number): Uint8Array {
  const writer = new JuteWriter();
  writer.long(session);
  writer.int(timeOut);
  return writer.finish();
}
