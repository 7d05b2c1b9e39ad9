/**
 * The properties of the Zab paper (DSN 2011, section III), each stated as there, on the smallest history that would break it, and all of them on random
 * ones. How they are kept is the affair of `rules.test.ts`; the simulator of the testkit looks for the same under every fault that it knows.
 */
import { VirtualClock } from '@quorate/ports';
import { epochOf, makeZxid, type Zxid } from '@quorate/protocol';
import { type Application, MemoryNetwork, MemoryStorage, Replica, type Run, type Sid } from '@quorate/zab';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TestEnsemble } from './ensemble.js';
import { image, run, serving } from './scenes.js';

describe('Reliability (section III-B)', () => {
  test('Integrity: what is delivered was broadcast by a primary', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'a');
    ensemble.run();
    for (const sid of [1, 2, 3]) expect(ensemble.delivered(sid)).toEqual([makeZxid(1, 1)]);
    ensemble.crash(3);
    ensemble.elect();
    ensemble.run();
    // A new epoch alone brings nothing.
    for (const sid of [1, 2]) expect(ensemble.delivered(sid)).toEqual([makeZxid(1, 1)]);
  });

  test('Total order: who delivers a later transaction has delivered the earlier one before it', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.hold(1);
    ensemble.propose(3, 'a');
    ensemble.propose(3, 'b');
    ensemble.run();
    // Server 1 hears that both are committed, and has only one of them on its disk.
    ensemble.flush(1, 1);
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1)]);
    ensemble.flush(1);
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1), makeZxid(1, 2)]);
  });

  test('Agreement: of two that have delivered different transactions one has delivered both', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'a');
    ensemble.run((): boolean => ensemble.delivered(3).length > 0);
    expect(ensemble.delivered(3)).toEqual([makeZxid(1, 1)]);
    ensemble.crash(3);
    const next = ensemble.elect();
    ensemble.propose(next, 'b');
    ensemble.run();
    for (const sid of [1, 2]) expect(ensemble.delivered(sid)).toEqual([makeZxid(1, 1), makeZxid(2, 1)]);
  });
});

describe('Primary order (section III-C)', () => {
  test('Local primary order: what a primary broadcasts later is not delivered without what it broadcast before', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'first');
    ensemble.drop((line) => line.includes('→ 1 PROPOSAL'));
    ensemble.propose(3, 'second');
    ensemble.run();
    // Server 1 got the second one only: it takes nothing of it and comes again.
    expect(ensemble.delivered(1)).toEqual(ensemble.delivered(3));
    expect(ensemble.delivered(1)).toEqual([makeZxid(1, 1), makeZxid(1, 2)]);
  });

  test('Global primary order: what an earlier primary broadcast alone is not delivered after a later one has begun', () => {
    const ensemble = serving([1, 2, 3]);
    ensemble.propose(3, 'lost');
    ensemble.drop((line) => line.includes('PROPOSAL'));
    ensemble.crash(3);
    const next = ensemble.elect();
    ensemble.propose(next, 'kept');
    ensemble.run();
    ensemble.restart(3);
    ensemble.run();
    for (const sid of [1, 2, 3]) expect(ensemble.delivered(sid)).toEqual([makeZxid(2, 1)]);
  });

  test('Primary integrity: before it broadcasts, a primary has delivered what anybody has delivered of earlier epochs', () => {
    const ensemble = new TestEnsemble([1, 2, 3]);
    ensemble.start(1, image(1, run(1, 1, 'a')));
    ensemble.start(2, image(1, run(1, 1, 'a', 'b')));
    expect(ensemble.elect()).toBe(2);
    expect(ensemble.delivered(2)).toEqual([makeZxid(1, 1), makeZxid(1, 2)]);
    ensemble.propose(2, 'c');
    ensemble.run();
    for (const sid of [1, 2]) expect(ensemble.delivered(sid)).toEqual([makeZxid(1, 1), makeZxid(1, 2), makeZxid(2, 1)]);
  });
});

/** What happens in a run, in order: broadcasts of primaries, deliveries of all. */
interface Event {
  readonly type: 'broadcast' | 'deliver';
  readonly sid: Sid;
  readonly zxid: Zxid;
  readonly value: number;
}

/** Servers in memory that write down what they broadcast and deliver. */
class World {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly events: Event[] = [];
  readonly replicas = new Map<Sid, Replica>();
  readonly #stores: ReadonlyMap<Sid, MemoryStorage>;
  readonly voters: readonly Sid[];
  #values = 0;

  constructor(voters: readonly Sid[]) {
    this.voters = voters;
    this.#stores = new Map(voters.map((sid) => [sid, new MemoryStorage({ clock: this.clock }).format({ ensembleId: 'paper' })]));
    for (const sid of voters) this.start(sid);
  }

  start(sid: Sid): void {
    const replica = new Replica({
      ...{ sid, config: { version: 0, voters: this.voters }, clock: this.clock, tickTimeMs: 100 },
      transport: this.network.transport(sid),
      storage: this.#stores.get(sid) as MemoryStorage,
      application: this.#recorder(sid),
      limits: { epochTxnsMax: 4 },
    });
    this.replicas.set(sid, replica);
    replica.start();
  }

  /** There are no snapshots: a life delivers its whole history again. */
  #recorder(sid: Sid): Application {
    return {
      deliver: (run: Run) =>
        run.payloads.forEach((payload, i) => {
          this.events.push({ type: 'deliver', sid, zxid: (run.zxid + i) as Zxid, value: payload[0] as number });
        }),
      snapshot: () => [],
      restore: () => {},
      onStatus: () => {},
    };
  }

  broadcast(): void {
    for (const [sid, replica] of this.replicas) {
      if (!replica.isServingLeader) continue;
      const value = this.#values++ % 256;
      this.events.push({ type: 'broadcast', sid, zxid: replica.propose(Uint8Array.of(value)), value });
    }
  }

  /** What each life has delivered, in its order; and what was broadcast, in its order. */
  get broadcasts(): Event[] {
    return this.events.filter(({ type }) => type === 'broadcast');
  }

  delivered(sid: Sid): Event[] {
    return this.events.filter((event) => event.type === 'deliver' && event.sid === sid);
  }
}

test('all six on random histories', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ type: 'broadcast' as const }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.nat(300) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('partition' as const), mask: fc.nat(31) }) },
    { weight: 2, arbitrary: fc.constant({ type: 'heal' as const }) },
    { weight: 1, arbitrary: fc.constant({ type: 'handOver' as const }) },
  );
  fc.assert(
    fc.property(fc.constantFrom([1, 2, 3], [1, 2, 3, 4, 5]), fc.array(step, { maxLength: 60 }), (voters, steps) => {
      const world = new World(voters);
      for (const one of steps) {
        if (one.type === 'broadcast') world.broadcast();
        else if (one.type === 'pass') world.clock.advance(one.ms);
        else if (one.type === 'partition') world.network.partition([voters.filter((sid) => (one.mask >> sid) & 1)]);
        else if (one.type === 'handOver') for (const replica of world.replicas.values()) replica.handOver();
        else world.network.heal();
        world.clock.advance(1);
      }
      world.network.heal();
      world.clock.advance(5_000);
      expectProperties(world);
    }),
    { numRuns: 60 },
  );
});

function expectProperties(world: World): void {
  const { broadcasts, events } = world;
  const histories = world.voters.map((sid) => world.delivered(sid));
  const key = ({ zxid, value }: Event): string => `${zxid}:${value}`;
  // Integrity.
  const known = new Set(broadcasts.map(key));
  for (const history of histories) for (const event of history) expect(known).toContain(key(event));
  // Total order and Agreement: the shorter history begins the longer one.
  const longest = histories.reduce((a, b) => (a.length >= b.length ? a : b)).map(key);
  for (const history of histories) expect(history.map(key)).toEqual(longest.slice(0, history.length));
  // Local and global primary order: by epoch, and within it as they were broadcast, without a hole.
  const order = longest.map((text) => Number(text.split(':')[0]) as Zxid);
  for (let i = 1; i < order.length; i++) {
    const [before, after] = [order[i - 1], order[i]] as [Zxid, Zxid];
    if (epochOf(before) === epochOf(after)) expect(after).toBe(before + 1);
    else expect(after).toBe(makeZxid(epochOf(after), 1));
    expect(after).toBeGreaterThan(before);
  }
  // Primary integrity: what anybody delivers of an earlier epoch, the primary had delivered before its first broadcast of a later one.
  for (const [at, event] of events.entries()) {
    if (event.type !== 'broadcast') continue;
    const earlier = order.filter((zxid) => epochOf(zxid) < epochOf(event.zxid));
    const had = new Set(events.slice(0, at).flatMap(({ type, sid, zxid }) => (type === 'deliver' && sid === event.sid ? [zxid] : [])));
    for (const zxid of earlier) if (order.includes(event.zxid)) expect(had).toContain(zxid);
  }
}
