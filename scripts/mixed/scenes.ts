/** What happens in a mixed ensemble, one thing after the other; each throws where it is not as it must be. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@quorate/client';
import { connect } from '@quorate/node';
import { encodeTxn, OPEN_ACL_UNSAFE, OpCode, type Zxid } from '@quorate/protocol';
import { formatDigest } from '@quorate/tree';
import { CreateMode, isZooKeeperError } from 'quorate';
import { Relay } from '../../packages/node/test/support/relay.ts';
import { readLogs } from '../differential/apache-log.ts';
import { replay } from '../differential/replay.ts';
import type { Ours, Theirs } from './members.ts';

export interface Mixed {
  readonly theirs: readonly Theirs[];
  readonly ours: Ours;
  /** Whether the server of ours votes. */
  readonly votes: boolean;
}

export interface Scene {
  readonly name: string;
  /** For a server of ours that votes alone. */
  readonly voters?: true;
  play(mixed: Mixed): Promise<void>;
}

const WAIT_MS = 60_000;
const LOOK_MS = 50;

/** Waits for what other processes do. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${WAIT_MS} ms: ${what}`);
    await pause(LOOK_MS);
  }
}

const clientOf = (server: Theirs | Ours): Promise<Client> =>
  connect(`127.0.0.1:${server.clientPort}`, { signal: AbortSignal.timeout(WAIT_MS), sessionTimeoutMs: 10_000 });

export async function leaderOf(theirs: readonly Theirs[]): Promise<Theirs> {
  let leader: Theirs | undefined;
  await until('a server of theirs leads', async () => {
    for (const server of theirs) if (server.isRunning && (await server.mode()) === 'leader') leader = server;
    return leader !== undefined;
  });
  return leader as Theirs;
}

async function start(ours: Ours): Promise<void> {
  await ours.start();
  await serves(ours);
}

const serves = (ours: Ours): Promise<void> => until('the server of ours serves', () => ours.server.status.serving);

/** So many znodes below a path, and changes to each. */
async function write(client: Client, path: string, count: number): Promise<void> {
  await client.create(path, new Uint8Array(3));
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      await client.create(`${path}/${i}`, new Uint8Array(i % 100));
      await client.setData(`${path}/${i}`, new Uint8Array(50));
      if (i % 3 === 0) await client.delete(`${path}/${i}`);
    }),
  );
}

/** Everything that theirs has logged gives the tree that ours has, whose digest is that behind the last txn. */
async function expectSameTree({ theirs, ours }: Mixed): Promise<void> {
  const leader = await leaderOf(theirs);
  const client = await clientOf(leader);
  await client.create('/end-', '', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
  const { path } = await client.create('/end-', '', { mode: CreateMode.PERSISTENT_SEQUENTIAL });
  await until('the last txn is applied here', () => ours.server.tree.find(path) !== undefined);
  const log = await readLogs(leader.logFolder);
  const txns = log.filter(({ header }) => header.zxid <= ours.server.lastZxid);
  const { tree } = replay(txns);
  const last = txns.at(-1);
  assert.ok(tree.digest !== undefined && ours.server.tree.digest !== undefined && last?.digest !== undefined);
  assert.equal(last.header.zxid, ours.server.lastZxid);
  assert.equal(formatDigest(ours.server.tree.digest), formatDigest(last.digest));
  assert.equal(formatDigest(ours.server.tree.digest), formatDigest(tree.digest));
  assert.equal(ours.server.tree.nodeCount, tree.nodeCount);
  assert.deepEqual(ours.failures, []);
  assert.deepEqual(ours.violations, []);
  await client.close();
}

export const scenes: readonly Scene[] = [
  {
    name: 'joins by a snapshot while others write',
    async play(mixed) {
      const { theirs, ours } = mixed;
      const client = await clientOf(await leaderOf(theirs));
      await write(client, '/before', 300);
      let writing = true;
      const writer = (async () => {
        for (let round = 0; writing; round++) await write(client, `/meanwhile-${round}`, 30);
      })();
      await start(ours);
      writing = false;
      await writer;
      assert.ok(ours.heard.includes('SNAP'), `no snapshot was sent: ${ours.heard.slice(0, 5)}`);
      assert.equal(ours.server.status.state, mixed.votes ? 'FOLLOWING' : 'OBSERVING');
      await expectSameTree(mixed);
      await client.close();
    },
  },
  {
    name: 'serves reads and watches, and forwards writes',
    async play(mixed) {
      const [here, there] = [await clientOf(mixed.ours), await clientOf(await leaderOf(mixed.theirs))];
      await here.create('/w', 'one');
      const events: string[] = [];
      await here.getData('/w', { watch: (event) => events.push(event.type) });
      await there.sync('/w');
      assert.equal(String((await there.getData('/w')).stat.version), '0');
      await there.setData('/w', 'two');
      await until('the watch has fired', () => events.length > 0);
      await here.sync('/w');
      assert.equal(new TextDecoder().decode((await here.getData('/w')).data), 'two');
      await assert.rejects(here.create('/none/there'), (error) => isZooKeeperError(error, 'NO_NODE'));
      await assert.rejects(here.setData('/w', 'three', { version: 0 }), (error) => isZooKeeperError(error, 'BAD_VERSION'));
      const paths = [];
      for (let i = 0; i < 3; i++) paths.push((await here.create('/w/s-', '', { mode: CreateMode.PERSISTENT_SEQUENTIAL })).path);
      assert.deepEqual(paths, ['/w/s-0000000000', '/w/s-0000000001', '/w/s-0000000002']);
      await here.create('/w/e', '', { mode: CreateMode.EPHEMERAL });
      await there.sync('/w');
      assert.notEqual(await there.exists('/w/e'), undefined);
      await here.close();
      await until('the end of the session has come to theirs', async () => (await there.exists('/w/e')) === undefined);
      await expectSameTree(mixed);
      await there.close();
    },
  },
  {
    name: 'comes back by the txns that it has missed',
    async play(mixed) {
      const { theirs, ours } = mixed;
      await ours.stop();
      const client = await clientOf(await leaderOf(theirs));
      await write(client, '/missed', 30);
      await start(ours);
      assert.ok(ours.heard.includes('DIFF'), `the history did not come by DIFF: ${ours.heard.slice(0, 5)}`);
      await expectSameTree(mixed);
      await client.close();
    },
  },
  {
    name: 'drops a txn that was never committed',
    async play(mixed) {
      const { theirs, ours } = mixed;
      await leaderOf(theirs);
      const zxid = (ours.server.lastZxid + 1) as Zxid;
      await ours.stop();
      const ghost = { type: OpCode.create, path: '/ghost', data: null, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion: 1 } as const;
      const payload = encodeTxn({ clientId: 0n, cxid: 0, zxid, time: 0, type: OpCode.create }, ghost);
      await new Promise<unknown>((resolve) => ours.store.append({ zxid, payloads: [payload] }, resolve));
      await start(ours);
      assert.ok(ours.heard.includes('TRUNC'), `no TRUNC has come: ${ours.heard.slice(0, 5)}`);
      await expectSameTree(mixed);
      assert.equal(ours.server.tree.find('/ghost'), undefined);
    },
  },
  {
    name: 'makes the quorum where another follower is gone',
    voters: true,
    async play(mixed) {
      const { theirs } = mixed;
      const leader = await leaderOf(theirs);
      const follower = theirs.find((server) => server !== leader) as Theirs;
      await follower.stop();
      const client = await clientOf(leader);
      await write(client, '/two-of-three', 100);
      await expectSameTree(mixed);
      follower.start();
      await until('their follower is back', async () => (await follower.mode()) === 'follower');
      await client.close();
    },
  },
  {
    name: 'takes a session over, and gives it back',
    async play(mixed) {
      const { theirs, ours } = mixed;
      const relays = [await Relay.before((await leaderOf(theirs)).clientPort), await Relay.before(ours.clientPort)] as const;
      const hosts = relays.map(({ port }) => `127.0.0.1:${port}`).join();
      const client = await connect(hosts, { firstServer: 0, sessionTimeoutMs: 10_000, signal: AbortSignal.timeout(WAIT_MS) });
      await client.create('/moves', '', { mode: CreateMode.EPHEMERAL });
      const { session } = client;
      for (const [from, to] of [
        [0, 1],
        [1, 0],
        [0, 1],
      ] as const) {
        relays[from].cut();
        await until('the client is elsewhere', () =>
          client.setData('/moves', String(to)).then(
            () => true,
            () => false,
          ),
        );
        relays[from].mend();
        assert.equal(client.session?.id, session?.id);
        assert.equal((await client.getData('/moves')).stat.ephemeralOwner, session?.id);
      }
      await client.close();
      await expectSameTree(mixed);
      for (const relay of relays) relay.close();
    },
  },
  {
    name: 'keeps a silent session alive for a leader of theirs, and a closed one ends',
    async play(mixed) {
      const here = await connect(`127.0.0.1:${mixed.ours.clientPort}`, { sessionTimeoutMs: 2_000, signal: AbortSignal.timeout(WAIT_MS) });
      await here.create('/beats', '', { mode: CreateMode.EPHEMERAL });
      // Twice its timeout: only what our server tells in its heartbeats keeps it.
      await pause(5_000);
      const there = await clientOf(await leaderOf(mixed.theirs));
      await there.sync('/');
      assert.notEqual(await there.exists('/beats'), undefined);
      await here.close();
      await until('it has gone with its session', async () => (await there.exists('/beats')) === undefined);
      await there.close();
    },
  },
  {
    name: 'follows the next leader, and its clients go on',
    voters: true,
    async play(mixed) {
      const { theirs, ours } = mixed;
      const here = await clientOf(ours);
      await here.create('/stays', '', { mode: CreateMode.EPHEMERAL });
      const { session } = here;
      const leader = await leaderOf(theirs);
      await leader.stop();
      const next = await leaderOf(theirs);
      assert.notEqual(next, leader);
      await until('ours follows it', () => ours.server.status.serving && ours.server.status.leader === next.sid);
      await here.setData('/stays', 'on', { signal: AbortSignal.timeout(WAIT_MS) });
      assert.equal(here.session?.id, session?.id);
      await here.close();
      leader.start();
      await until('theirs is back', async () => (await leader.mode()) === 'follower');
      await expectSameTree(mixed);
    },
  },
];
