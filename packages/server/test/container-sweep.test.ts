import { type DecodedTxn, decodeTxn, makeZxid, OPEN_ACL_UNSAFE, OpCode } from '@quorate/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Database } from '../src/database.ts';
import { Leadership } from '../src/leadership.ts';
import type { TreeWrite } from '../src/prepare.ts';
import { ServerCounts } from '../src/server-counts.ts';
import { TestEnsemble, TICK_MS } from './support/test-ensemble.ts';

const CHECK_MS = 1_000;
const NO_DATA = new Uint8Array(0);
const SESSION = 5n;

const made = (path: string) => ({ path, data: NO_DATA, acl: OPEN_ACL_UNSAFE });
const container = (path: string): TreeWrite => ({ type: OpCode.createContainer, ...made(path), flags: 4 });
const withTtl = (path: string, ttl: number): TreeWrite => ({ type: OpCode.createTTL, ...made(path), flags: 5, ttl });
const create = (path: string): TreeWrite => ({ type: OpCode.create, ...made(path), flags: 0 });
const setData = (path: string): TreeWrite => ({ type: OpCode.setData, path, data: NO_DATA, version: -1 });
const remove = (path: string): TreeWrite => ({ type: OpCode.delete, path, version: -1 });

/** A leader whose proposals are applied when the test says so, on a clock that goes when it says so. */
class Scene {
  readonly database = new Database();
  /** Everything that was proposed. */
  readonly proposals: DecodedTxn[] = [];
  now = 0;
  readonly #leader: Leadership;
  #applied = 0;
  #cxid = 0;

  constructor(containersPerMinuteMax = 60_000, containerNeverUsedMaxMs = 0) {
    this.database.sessions.add(SESSION, 2 ** 30);
    const scene = this;
    this.#leader = new Leadership({
      epoch: 1,
      broadcast: {
        get nextZxid() {
          return makeZxid(1, scene.proposals.length + 1);
        },
        propose: (payload) => makeZxid(1, this.proposals.push(decodeTxn(payload.slice()))),
        request: () => {},
        revalidate: () => {},
        answerRevalidate: () => {},
        sync: () => {},
      },
      database: this.database,
      counts: new ServerCounts(),
      clock: { now: () => this.now, wallNow: () => 1_000_000 + this.now, setTimer: () => ({ cancel: () => {} }), defer: () => {} },
      tickTimeMs: TICK_MS,
      containerCheckIntervalMs: CHECK_MS,
      containersPerMinuteMax,
      quotas: { enforce: false, onExcess: () => {} },
      containerNeverUsedMaxMs,
      tell: () => {},
    });
  }

  write(...requests: readonly TreeWrite[]): void {
    for (const request of requests) this.#leader.take(1, { session: SESSION, cxid: ++this.#cxid, authIds: [], request });
  }

  apply(count = Number.POSITIVE_INFINITY): void {
    const end = Math.min(this.proposals.length, this.#applied + count);
    while (this.#applied < end) {
      const { header, txn, digest } = this.proposals[this.#applied++] as Scene['proposals'][number];
      this.#leader.takePrepared(header.zxid);
      this.database.apply(header, txn, () => {});
      this.database.checkDigest(digest);
      this.#leader.onApplied(header, txn);
    }
  }

  /** Goes on by `ms`, a tick at a time; gives the paths that went by themselves. */
  run(ms: number, apply = true): string[] {
    const before = this.proposals.length;
    for (const end = this.now + ms; this.now < end; ) {
      this.now += TICK_MS;
      this.#leader.tick();
      if (apply) this.apply();
    }
    return this.proposals.slice(before).flatMap(({ txn }) => (txn.type === OpCode.deleteContainer ? [txn.path] : []));
  }

  has(path: string): boolean {
    return this.database.tree.find(path) !== undefined;
  }
}

describe('containers', () => {
  it('go at the next look once they have had a child and have none any more', () => {
    const scene = new Scene();
    scene.write(container('/used'), create('/used/child'), container('/unused'));
    scene.apply();
    expect(scene.run(3 * CHECK_MS)).toEqual([]);
    scene.write(remove('/used/child'));
    scene.apply();
    expect(scene.run(CHECK_MS - TICK_MS)).toEqual([]);
    expect(scene.run(TICK_MS)).toEqual(['/used']);
    expect([scene.has('/used'), scene.has('/unused')]).toEqual([false, true]);
    expect(scene.proposals.at(-1)?.header).toMatchObject({ clientId: 0n, cxid: 0, type: OpCode.deleteContainer });
  });

  it('within a container go one look after the other', () => {
    const scene = new Scene();
    scene.write(container('/a'), container('/a/b'), container('/a/b/c'), create('/a/b/c/d'), remove('/a/b/c/d'));
    scene.apply();
    expect([1, 2, 3, 4].map(() => scene.run(CHECK_MS))).toEqual([['/a/b/c'], ['/a/b'], ['/a'], []]);
  });

  it('stay while anything that concerns them is only proposed', () => {
    const scene = new Scene();
    scene.write(container('/c'), create('/c/1'), remove('/c/1'));
    scene.apply();
    scene.write(create('/c/2'));
    expect(scene.run(2 * CHECK_MS, false)).toEqual([]);
    scene.write(remove('/c/2'));
    expect(scene.run(2 * CHECK_MS, false)).toEqual([]);
    scene.apply();
    expect(scene.run(CHECK_MS, false)).toEqual(['/c']);
    // It is proposed once, however long that takes.
    expect(scene.run(3 * CHECK_MS, false)).toEqual([]);
    scene.apply();
    expect(scene.has('/c')).toBe(false);
  });

  it('are removed no faster than the limit, and one that is used again before its turn stays', () => {
    const scene = new Scene(600);
    for (const name of ['a', 'b', 'c', 'd']) scene.write(container(`/${name}`), create(`/${name}/x`), remove(`/${name}/x`));
    scene.apply();
    expect(scene.run(CHECK_MS + TICK_MS)).toEqual(['/a', '/b']);
    scene.write(create('/c/y'));
    scene.apply();
    expect(scene.run(TICK_MS)).toEqual([]);
    expect(scene.run(TICK_MS)).toEqual(['/d']);
    expect(scene.run(2 * CHECK_MS)).toEqual([]);
  });

  it('that are made again before their turn are new ones, and those in use take no turn from others', () => {
    const scene = new Scene(600);
    for (const name of ['a', 'b']) scene.write(container(`/${name}`), create(`/${name}/x`), remove(`/${name}/x`));
    scene.write(container('/used'), create('/used/x'), withTtl('/t', 500), withTtl('/u', 500));
    scene.apply();
    expect(scene.run(CHECK_MS)).toEqual(['/a']);
    scene.write(remove('/b'), container('/b'), setData('/t'));
    scene.apply();
    expect([scene.run(TICK_MS), scene.run(TICK_MS), scene.run(TICK_MS)]).toEqual([[], [], ['/u']]);
  });

  it('are found up to the limit of a minute in one look', () => {
    const scene = new Scene(3);
    for (const name of ['a', 'b', 'c', 'd']) scene.write(container(`/${name}`), create(`/${name}/x`), remove(`/${name}/x`));
    scene.apply();
    expect(scene.run(CHECK_MS + 59_000)).toEqual(['/a', '/b']);
    expect(scene.run(60_000)).toEqual(['/c', '/d']);
  });
});

describe('znodes with a TTL', () => {
  it('go once it has passed since their data were changed last', () => {
    const scene = new Scene();
    scene.write(withTtl('/t', 2_500));
    scene.apply();
    expect(scene.run(2_000)).toEqual([]);
    scene.write(setData('/t'));
    scene.apply();
    expect(scene.run(2_500)).toEqual([]);
    expect(scene.run(500)).toEqual(['/t']);
  });

  it('not while they have children, and then without waiting again', () => {
    const scene = new Scene();
    scene.write(withTtl('/t', 100), create('/t/x'));
    scene.apply();
    expect(scene.run(5 * CHECK_MS)).toEqual([]);
    scene.write(remove('/t/x'));
    scene.apply();
    expect(scene.run(CHECK_MS)).toEqual(['/t']);
  });

  it('not where new data are only proposed', () => {
    const scene = new Scene();
    scene.write(withTtl('/t', 100));
    scene.apply();
    scene.write(setData('/t'));
    expect(scene.run(2 * CHECK_MS, false)).toEqual([]);
  });

  it('not when the TTL is just over, but after it', () => {
    const scene = new Scene();
    scene.write(withTtl('/t', CHECK_MS));
    scene.apply();
    expect(scene.run(CHECK_MS)).toEqual([]);
    expect(scene.run(CHECK_MS)).toEqual(['/t']);
  });
});

// Anything that clients and time can do, against what may go and what must.
const path = fc.constantFrom('/a', '/b', '/a/a', '/a/b', '/a/a/a');
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('container' as const, 'ttl' as const, 'create' as const), path }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'setData' as const), path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('run' as const), ticks: fc.integer({ min: 1, max: 15 }), apply: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('apply' as const), count: fc.integer({ min: 1, max: 4 }) }) },
);
const TTL_MS = 700;

/** What the proposals make of the tree, in their order; throws where a znode goes that may not. */
function replay(proposals: Scene['proposals']): Map<string, { kind: string; created: number; mtime: number }> {
  const znodes = new Map<string, { kind: string; created: number; mtime: number }>();
  const hasChildren = (parent: string): boolean => [...znodes.keys()].some((other) => other.startsWith(`${parent}/`));
  for (const { header, txn } of proposals) {
    if (!('path' in txn)) continue;
    const znode = znodes.get(txn.path);
    if (txn.type === OpCode.setData) {
      if (znode !== undefined) znode.mtime = header.time;
    } else if (txn.type === OpCode.delete || txn.type === OpCode.deleteContainer) {
      if (txn.type === OpCode.deleteContainer) {
        const isDue = znode?.kind === 'container' ? znode.created > 0 : znode?.kind === 'ttl' && header.time - znode.mtime > TTL_MS;
        if (!isDue || hasChildren(txn.path)) throw new Error(`${txn.path} may not go`);
      }
      znodes.delete(txn.path);
    } else {
      const kind = txn.type === OpCode.createContainer ? 'container' : txn.type === OpCode.createTTL ? 'ttl' : 'plain';
      znodes.set(txn.path, { kind, created: 0, mtime: header.time });
      const parent = znodes.get(txn.path.slice(0, txn.path.lastIndexOf('/')));
      if (parent !== undefined) parent.created++;
    }
  }
  return znodes;
}

describe('whatever happens', () => {
  it('nothing goes that may not, and in the end everything has gone that must', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50, size: 'max' }), (steps) => {
        const scene = new Scene(1_200);
        const writes = { container, ttl: (at: string) => withTtl(at, TTL_MS), create, remove, setData };
        for (const s of steps) {
          if (s.do === 'run') scene.run(s.ticks * TICK_MS, s.apply);
          else if (s.do === 'apply') scene.apply(s.count);
          else scene.write(writes[s.do](s.path));
        }
        scene.apply();
        scene.run(5 * CHECK_MS);
        const left = replay(scene.proposals);
        expect([...left.keys()].filter((at) => !scene.has(at))).toEqual([]);
        const due = [...left].filter(([at, { kind, created }]) => {
          const isEmpty = ![...left.keys()].some((other) => other.startsWith(`${at}/`));
          return isEmpty && (kind === 'ttl' || (kind === 'container' && created > 0));
        });
        expect(due).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('an ensemble', () => {
  it('answers each creation as the operation that it is, also where a plain create asks for a container', () => {
    const ensemble = new TestEnsemble(3).ready();
    const client = ensemble.client(ensemble.followers[0]!);
    const asked: number[] = [];
    for (const type of [OpCode.create, OpCode.create2, OpCode.createContainer]) {
      const xid = client.send({ type, ...made(`/${type}`), flags: 4 });
      asked.push(xid);
      client.create(`/${type}/x`);
      client.delete(`/${type}/x`);
    }
    asked.push(client.send({ type: OpCode.createTTL, ...made('/t'), flags: 6, ttl: 5 }));
    ensemble.settle();
    expect(client.isClosed).toBe(false);
    expect(asked.map((xid) => client.reply(xid)?.response)).toMatchObject([
      { type: OpCode.create, path: '/1' },
      { type: OpCode.create2, path: '/15', stat: { ephemeralOwner: 0n } },
      { type: OpCode.createContainer, path: '/19', stat: { ephemeralOwner: 0n } },
      { type: OpCode.createTTL, path: '/t0000000003', stat: { ephemeralOwner: 0n } },
    ]);
    expect([...ensemble.leader.tree.containersAndTtls()]).toEqual(['/1', '/15', '/19', '/t0000000003']);
  });

  it('removes them on every server, tells who watches, and goes on under another leader', () => {
    const ensemble = new TestEnsemble(3, { containerCheckIntervalMs: CHECK_MS }).ready();
    const client = ensemble.client(ensemble.followers[0]!);
    client.send(container('/c'));
    client.create('/c/x');
    client.send(withTtl('/t', 500));
    client.exists('/c', true);
    client.exists('/t', true);
    client.delete('/c/x');
    ensemble.settle();
    ensemble.run(CHECK_MS + 2 * TICK_MS);
    for (const { tree } of ensemble.servers.values()) expect([tree.find('/c'), tree.find('/t')]).toEqual([undefined, undefined]);
    expect(client.events.toSorted()).toEqual(['2 /c', '2 /t']);

    const xid = client.send(withTtl('/late', 500));
    ensemble.settle();
    expect(client.reply(xid)?.response).toMatchObject({ type: OpCode.createTTL, path: '/late', stat: { ephemeralOwner: 0n } });
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    expect(ensemble.leader.tree.find('/late')).toBeDefined();
    ensemble.run(CHECK_MS + 2 * TICK_MS);
    for (const { tree } of ensemble.servers.values()) expect(tree.find('/late')).toBe(undefined);
  });
});

describe('containers that never had a child', () => {
  it('go once they have waited too long, where that is limited', () => {
    const scene = new Scene(60_000, 2_500);
    scene.write(container('/unused'), container('/late'), create('/plain'));
    scene.apply();
    expect(scene.run(2_000)).toEqual([]);
    scene.write(setData('/late'));
    scene.apply();
    expect(scene.run(CHECK_MS)).toEqual(['/unused']);
    expect(scene.run(CHECK_MS)).toEqual([]);
    // The data of the other one were changed, which counts as its beginning (`ContainerManager.getElapsed`).
    expect(scene.run(CHECK_MS)).toEqual(['/late']);
    expect([scene.has('/unused'), scene.has('/plain')]).toEqual([false, true]);
  });
});
