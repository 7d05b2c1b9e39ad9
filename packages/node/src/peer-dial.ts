/** Connecting to another server: a few tries, because a leader may have been elected a moment before it listens. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock, Random } from '@quorate/ports';
import { PEER_CONNECT_TIMEOUT_MS, PEER_RETRY_MS_MAX, PEER_RETRY_MS_MIN } from './limits.js';
import type { PeerAddress } from './peer-address.js';
import { type PeerSocket, tuned } from './peer-socket.js';
import { identityFault, type PeerTls, secureContext } from './peer-tls.js';

export interface DialOptions {
  readonly address: PeerAddress;
  readonly port: number;
  readonly tls: PeerTls | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** How often it is tried. */
  readonly tries: number;
}

/** Gives the stream a socket, or gives it up. */
export function dial(stream: PeerSocket, options: DialOptions, tried = 0): void {
  const socket = open(options);
  let failure: NodeJS.ErrnoException | undefined;
  const onError = (error: NodeJS.ErrnoException): void => {
    failure = error;
  };
  const onClose = (): void => {
    // Only where nobody listens does it help to try again soon.
    if (stream.isClosed || failure?.code !== 'ECONNREFUSED' || tried + 1 >= options.tries) return stream.giveUp();
    options.clock.setTimer(backOffMs(options.random, tried), () => (stream.isClosed ? stream.giveUp() : dial(stream, options, tried + 1)));
  };
  socket.on('error', onError);
  socket.once('close', onClose);
  socket.setTimeout(PEER_CONNECT_TIMEOUT_MS, () => socket.destroy());
  socket.once(options.tls === undefined ? 'connect' : 'secureConnect', () => {
    socket.setTimeout(0);
    socket.off('error', onError);
    socket.off('close', onClose);
    stream.carry(tuned(socket));
  });
}

function open({ address, port, tls }: DialOptions): Socket {
  const { host } = address;
  if (tls === undefined) return connect({ host, port });
  const checkServerIdentity = (_: string, certificate: Parameters<typeof identityFault>[1]) => identityFault(address, certificate);
  return connectTls({ ...secureContext(tls), host, port, servername: isIP(host) === 0 ? host : '', checkServerIdentity });
}

/** Doubled with every try, and shortened by chance. */
function backOffMs(random: Random, tried: number): number {
  return Math.min(PEER_RETRY_MS_MAX, PEER_RETRY_MS_MIN * 2 ** tried) * (0.5 + random.uint32() / 2 ** 33);
}
