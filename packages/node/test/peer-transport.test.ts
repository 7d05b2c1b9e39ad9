/** The contract of `Transport` over real sockets, and who is not let in. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { realClock, realRandom } from '@quorate/ports';
import { transportSuite } from '@quorate/testkit';
import type { Sid } from '@quorate/zab';
import { beforeAll, describe, expect, test } from 'vitest';
import { type PeerTls, peerTransport } from '../src/index.js';
import { Authority } from './support/certificates.js';
import { CONFIG, PeerWorld, until, VOTERS } from './support/peer-world.js';

describe('over TCP', () => transportSuite({ test, world: () => PeerWorld.make() }));

let authority: Authority;
const certificates = new Map<Sid, PeerTls>();

beforeAll(async () => {
  authority = await Authority.found('the ensemble');
  for (const sid of VOTERS) certificates.set(sid, await authority.issue('127.0.0.1'));
});

describe('over TLS', () => transportSuite({ test, world: () => PeerWorld.make(certificates) }));

/** What servers 1 and 2 hear of one another. */
async function meeting(tls: ReadonlyMap<Sid, PeerTls>) {
  const world = await PeerWorld.make(tls);
  const heard: string[] = [];
  const handler = (name: string) => ({ onMessage: () => heard.push(`${name} hears`), onClose: () => heard.push(`${name} is closed`) });
  const [first, second] = [await world.transport(1), await world.transport(2)];
  for (const [name, transport] of [
    ['one', first],
    ['two', second],
  ] as const)
    transport.start({ onNotification: () => heard.push(`${name} is notified`), onChannel: () => handler(name) });
  return { world, heard, first, second, handler };
}

describe('under TLS', () => {
  test('a server that another authority has signed for reaches no state machine (CVE-2018-8012)', async () => {
    const stranger = await (await Authority.found('another')).issue('127.0.0.1');
    const { world, heard, first, second, handler } = await meeting(new Map([...certificates, [1, stranger]]));
    first.open(2, handler('channel')).send({ type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: '' });
    await until(() => heard.length > 0);
    second.open(1, handler('other')).send({ type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: '' });
    await until(() => heard.length > 1);
    await world.settle();
    expect(heard).toEqual(['channel is closed', 'other is closed']);
    world.close();
  });

  test.each([
    ['is for another host', 'other.example'],
    ['is for the name that its address would be looked up as (CVE-2026-24281)', 'localhost'],
    ['names no host at all (CVE-2023-44981)', undefined],
  ])('nor does one whose certificate %s', async (_, host) => {
    const elsewhere = await authority.issue(host);
    const { world, heard, first, handler } = await meeting(new Map([...certificates, [1, elsewhere]]));
    first.open(2, handler('channel')).send({ type: 'FOLLOWERINFO', acceptedEpoch: 1, ensembleId: '' });
    await until(() => heard.length > 0);
    await world.settle();
    expect(heard).toEqual(['channel is closed']);
    expect(world.violations).toMatchObject([{ rule: 'WRONG_SERVER', peer: 1, purpose: 'LEARNER' }]);
    world.close();
  });

  test('nor does one without a certificate, or without TLS (CVE-2018-8012)', async () => {
    const { world, heard } = await meeting(certificates);
    const { quorumPort, host } = world.servers.get(2) as { quorumPort: number; host: string };
    const { ca } = certificates.get(1) as PeerTls;
    for (const socket of [connectTls({ host, port: quorumPort, ca: Buffer.from(ca) }), connect({ host, port: quorumPort })]) {
      socket.on('error', () => {});
      socket.write(new Uint8Array(100));
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(heard).toEqual([]);
    world.close();
  });
});

test('without TLS, a port that other machines reach is not opened unasked (CVE-2018-8012)', async () => {
  const servers = new Map([[1, { host: '0.0.0.0', quorumPort: 1, electionPort: 2 }]]);
  const options = { sid: 1, config: { ...CONFIG, voters: [1] }, servers, clock: realClock, random: realRandom };
  await expect(peerTransport(options)).rejects.toThrow(TypeError);
  await expect(peerTransport(options)).rejects.toThrow('insecurePeers');
});

describe('a port', () => {
  test('that is in use is an error that names it, and the other is given back', async () => {
    const world = await PeerWorld.make();
    await world.transport(1);
    await expect(world.transport(1)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    world.close();
    await until(() => true);
    const again = await world.transport(1);
    again.stop();
  });

  test('closes on bytes that are none of ZooKeeper’s, however they come', async () => {
    const world = await PeerWorld.make();
    const transport = await world.transport(2);
    const heard: string[] = [];
    transport.start({
      onNotification: () => heard.push('notification'),
      onChannel: () => ({ onMessage: () => heard.push('message'), onClose: () => {} }),
    });
    const { quorumPort, electionPort, host } = world.servers.get(2) as { quorumPort: number; electionPort: number; host: string };
    for (const port of [quorumPort, electionPort]) {
      const socket = connect({ host, port });
      socket.on('error', () => {});
      socket.resume();
      for (let byte = 0; byte < 32; byte++) socket.write(Uint8Array.of(byte * 7 + 1));
      await once(socket, 'close');
    }
    expect(heard).toEqual([]);
    expect(world.violations.map(({ purpose }) => purpose)).toEqual(['LEARNER', 'ELECTION']);
    world.close();
  });
});
