/** Over UDP, with and without a network that loses, doubles and swaps datagrams. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { realClock, realRandom, SeededRandom } from '@quorate/ports';
import type { Transport } from '@quorate/server';
import { transportSuite } from '@quorate/testkit';
import { framed, type Sid, type WireViolation } from '@quorate/zab';
import { afterEach, describe, expect, test } from 'vitest';
import { udpPeers } from '../src/index.js';
import { PeerWorld, VOTERS } from './support/peer-world.js';
import { live, ServerTrio } from './support/server-trio.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function udpPorts(count: number): Promise<readonly number[]> {
  const sockets = await Promise.all(Array.from({ length: count }, () => bound()));
  const ports = sockets.map((socket) => socket.address().port);
  for (const socket of sockets) socket.close();
  return ports;
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Loses, doubles and delays a few datagrams of every thousand, between one server that opens streams and another. */
async function lossyWay(to: number, permille: number, random: SeededRandom): Promise<number> {
  const near = await bound();
  const far = await bound();
  let isOpen = true;
  closers.push(() => {
    isOpen = false;
    near.close();
    far.close();
  });
  let opener: RemoteInfo | undefined;
  const falls = (): boolean => random.uint32() % 1_000 < permille;
  const pass = (send: () => void): void => {
    if (falls()) return;
    if (falls()) send();
    if (falls()) realClock.setTimer(5, () => isOpen && send());
    else send();
  };
  near.on('message', (bytes, from) => {
    opener = from;
    pass(() => far.send(bytes, to, '127.0.0.1', () => {}));
  });
  far.on('message', (bytes) => pass(() => near.send(bytes, opener?.port ?? 1, '127.0.0.1', () => {})));
  for (const socket of [near, far]) socket.on('error', () => {});
  return near.address().port;
}

async function peers(violations: WireViolation[], permille = 0): Promise<(sid: Sid) => Promise<Transport>> {
  const ports = await udpPorts(VOTERS.length);
  const random = new SeededRandom(5);
  const views = new Map<Sid, Map<Sid, { host: string; port: number }>>();
  for (const sid of VOTERS) {
    const view = new Map<Sid, { host: string; port: number }>();
    for (const [i, peer] of VOTERS.entries()) {
      const port = ports[i] as number;
      view.set(peer, { host: '127.0.0.1', port: peer === sid || permille === 0 ? port : await lossyWay(port, permille, random) });
    }
    views.set(sid, view);
  }
  return async (sid) => {
    const servers = views.get(sid) as Map<Sid, { host: string; port: number }>;
    const clock = realClock;
    const bytes = await udpPeers({ sid, servers, clock, random: realRandom });
    return framed(bytes, { sid, ensembleId: 'test', clock, random: realRandom, onViolation: (violation) => violations.push(violation) });
  };
}

const violations: WireViolation[] = [];

describe('peers keep the contract of Transport', () =>
  transportSuite({ test, world: async () => PeerWorld.over(await peers(violations)) }));

test('and none of this was a violation', () => {
  expect(violations).toEqual([]);
});

test('three servers elect, write, lose their leader and go on, where of each hundred datagrams five are lost, five doubled and five delayed', async () => {
  const found: WireViolation[] = [];
  const trio = await ServerTrio.start(await peers(found, 50));
  closers.push(() => trio.close());
  await live(trio);
  expect(found).toEqual([]);
});
