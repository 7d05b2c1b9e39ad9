/** When an ensemble writes for the first time, whichever of its servers is asked: each is, over and over, on connections of their own. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeClientMessage, encodeConnectRequest, NO_ZXID, OPEN_ACL_UNSAFE, OpCode } from '@quorate/protocol';

const PAUSE_MS = 10;
/** A server that takes a connection and says nothing is asked anew. */
const SILENCE_MS = 500;
const GIVE_UP_MS = 60_000;

/** Resolves when the first write was answered. @throws Error where there is none within a minute. */
export async function firstWrite(ports: readonly number[]): Promise<void> {
  let written = false;
  const giveUpAt = performance.now() + GIVE_UP_MS;
  const askOne = async (port: number): Promise<void> => {
    while (!written) {
      if (performance.now() > giveUpAt) throw new Error(`nothing was written within ${GIVE_UP_MS} ms`);
      if (await tryWrite(port)) written = true;
      else await sleep(PAUSE_MS);
    }
  };
  await Promise.race(ports.map(askOne));
}

/** A session, and in it a create of a sequential znode. */
function tryWrite(port: number): Promise<boolean> {
  const wanted = { protocolVersion: 0, lastZxidSeen: NO_ZXID, timeOut: 30_000, sessionId: 0n, passwd: new Uint8Array(16), readOnly: false };
  const request = { type: OpCode.create, path: '/first-', data: new Uint8Array(0), acl: OPEN_ACL_UNSAFE, flags: 2 } as const;
  return new Promise((resolve) => {
    let isWritten = false;
    let bytes = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      socket.write(encodeConnectRequest({ kind: 'connect', ...wanted }));
      socket.write(encodeClientMessage({ kind: 'request', xid: 1, request }));
    });
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(isWritten));
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      isWritten = hasSecondFrame(bytes);
      if (isWritten) socket.destroy();
    });
  });
}

/** The first answers the handshake. */
function hasSecondFrame(bytes: Buffer): boolean {
  if (bytes.length < 4) return false;
  const second = 4 + bytes.readInt32BE(0);
  return bytes.length >= second + 4 && bytes.length >= second + 4 + bytes.readInt32BE(second);
}
