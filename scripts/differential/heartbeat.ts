/**
 * A client that does nothing but ping.
 *
 * A server of an Apache ensemble can fall asleep over a request that has just come: `CommitProcessor` of 3.8.0 looks whether there is something to do, and only then takes
 * the lock under which it would be woken, so that what comes in between lies there until the next request of any client or the next commit. Where there are
 * other clients nobody notices. In a history nobody else says anything, so this client does.
 */
import { encodeClientMessage, OpCode, Xid } from '@quorate/protocol';
import { connected } from './control.ts';
import type { Way } from './way.ts';

const PERIOD_MS = 20;

export interface Heartbeat {
  stop(): void;
}

/** Pings a server until it is stopped. */
export async function startHeartbeat(way: Way): Promise<Heartbeat> {
  const connection = await connected(way);
  const ping = encodeClientMessage({ kind: 'request', xid: Xid.ping, request: { type: OpCode.ping } });
  const beat = setInterval(() => {
    connection.take();
    connection.send(ping, Xid.ping, OpCode.ping);
  }, PERIOD_MS);
  return {
    stop() {
      clearInterval(beat);
      connection.destroy();
    },
  };
}
