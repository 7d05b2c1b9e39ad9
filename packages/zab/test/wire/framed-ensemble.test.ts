/** Whole ensembles over `framed` and a byte network in memory: they elect, commit, and go on whatever is done to one of their channels. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import { type Application, framed, MemoryByteNetwork, MemoryStorage, Replica, type Run, type Sid, type WireViolation } from '@quorate/zab';
import { describe, expect, test } from 'vitest';
import { flipBit } from './arbitraries.js';

const VOTERS: readonly Sid[] = [1, 2, 3];

class Recorder implements Application {
  entries: number[] = [];
  restored = 0;

  deliver(run: Run): void {
    for (const payload of run.payloads) this.entries.push(payload[0] as number);
  }

  snapshot(): Uint8Array[] {
    return [Uint8Array.from(this.entries)];
  }

  restore(pieces: readonly Uint8Array[]): void {
    this.restored++;
    this.entries = pieces.flatMap((piece) => [...piece]);
  }

  onStatus(): void {}
}

class Ensemble {
  readonly clock = new VirtualClock();
  readonly network = new MemoryByteNetwork({ clock: this.clock });
  readonly random = new SeededRandom(1);
  readonly replicas = new Map<Sid, Replica>();
  readonly applications = new Map<Sid, Recorder>();
  readonly stores = new Map(VOTERS.map((sid) => [sid, new MemoryStorage({ clock: this.clock }).format({ ensembleId: 'test' })]));
  readonly violations: { readonly at: Sid; readonly violation: WireViolation }[] = [];
  #proposed = 0;

  constructor() {
    for (const sid of VOTERS) this.start(sid);
  }

  start(sid: Sid): void {
    const { clock, random } = this;
    const onViolation = (violation: WireViolation): void => void this.violations.push({ at: sid, violation });
    const options = { sid, ensembleId: 'test', clock, random, answerTimeoutMs: 300, onViolation };
    const application = new Recorder();
    const replica = new Replica({
      sid,
      config: { version: 0, voters: VOTERS },
      transport: framed(this.network.transport(sid), options),
      storage: this.stores.get(sid) as MemoryStorage,
      clock,
      application,
      tickTimeMs: 100,
      limits: { committedLogTxns: 5 },
      snapshotEvery: 10,
    });
    this.applications.set(sid, application);
    this.replicas.set(sid, replica);
    replica.start();
  }

  stop(sid: Sid): void {
    this.replicas.get(sid)?.stop();
    this.replicas.delete(sid);
  }

  get leader(): Replica {
    const leaders = [...this.replicas.values()].filter((replica) => replica.isServingLeader);
    expect(leaders.length).toBe(1);
    return leaders[0] as Replica;
  }

  /** Proposes the next numbers, and lets time pass. */
  propose(count: number): void {
    const { leader } = this;
    for (let i = 0; i < count; i++) leader.propose(Uint8Array.of(++this.#proposed));
    this.clock.advance(100);
  }

  expectAgreement(): void {
    const all = Array.from({ length: this.#proposed }, (_, i) => i + 1);
    for (const sid of this.replicas.keys()) expect(this.applications.get(sid)?.entries).toEqual(all);
    for (const replica of this.replicas.values()) expect(replica.status.serving).toBe(true);
  }

  /** The connection on which a follower hears its leader. */
  learnerChannelOf(follower: Sid): number {
    const { sid } = this.leader;
    const index = this.network.ends.findLastIndex(
      ({ near, far }) => near.isOpen && far?.isOpen === true && near.way.from === follower && near.way.to === sid && isLearner(this, near),
    );
    expect(index).toBeGreaterThanOrEqual(0);
    return index;
  }
}

/** The purpose stands behind a header, the magic and the version. */
function isLearner({ network }: Ensemble, { way }: { readonly way: { readonly connection: number } }): boolean {
  return network.chunksOf(way.connection, true)[0]?.[28 + 11] === 2;
}

test('three servers elect, commit, and bring one back that was away, by its log and by a snapshot', () => {
  const ensemble = new Ensemble();
  ensemble.clock.advance(0);
  expect(ensemble.leader.sid).toBe(3);
  ensemble.propose(3);
  ensemble.expectAgreement();
  for (const missed of [[4], [10, 10, 10, 10]]) {
    ensemble.stop(1);
    for (const count of missed) ensemble.propose(count);
    ensemble.start(1);
    ensemble.clock.advance(500);
    ensemble.expectAgreement();
  }
  expect(ensemble.applications.get(1)?.restored).toBe(1);
  ensemble.stop(3);
  ensemble.clock.advance(2000);
  ensemble.propose(5);
  ensemble.start(3);
  ensemble.clock.advance(500);
  ensemble.expectAgreement();
  expect(ensemble.violations).toEqual([]);
});

test('cut at every byte, what they say is the same', () => {
  const ensemble = new Ensemble();
  ensemble.network.alter = (chunk) => Array.from(chunk, (byte) => Uint8Array.of(byte));
  ensemble.clock.advance(100);
  ensemble.propose(20);
  ensemble.stop(1);
  ensemble.propose(30);
  ensemble.start(1);
  ensemble.clock.advance(500);
  ensemble.expectAgreement();
  expect(ensemble.violations).toEqual([]);
});

describe('an ensemble survives', () => {
  type Alter = (chunk: Uint8Array, count: number) => readonly Uint8Array[];
  let held: Uint8Array = new Uint8Array(0);
  const faults: Record<string, { readonly rule: string; readonly alter: Alter }> = {
    loss: { rule: 'FRAME_LOST', alter: (chunk, count) => (count === 1 ? [] : [chunk]) },
    duplication: { rule: 'FRAME_REPEATED', alter: (chunk) => [chunk, chunk] },
    reordering: {
      rule: 'FRAME_LOST',
      alter: (chunk, count) => {
        const before = held;
        held = chunk;
        return count === 1 ? [] : count === 2 ? [chunk, before] : [chunk];
      },
    },
    corruption: { rule: 'CORRUPT_FRAME', alter: (chunk) => [flipBit(chunk, chunk.length * 4)] },
    'a wrong split': { rule: 'CORRUPT_FRAME', alter: (chunk, count) => (count === 1 ? [chunk.slice(0, -1)] : [chunk]) },
  };
  for (const [name, { rule, alter }] of Object.entries(faults)) {
    for (const toLeader of [true, false]) {
      test(`${name} on the way ${toLeader ? 'to' : 'from'} the leader`, () => {
        const ensemble = new Ensemble();
        ensemble.clock.advance(100);
        ensemble.propose(2);
        const connection = ensemble.learnerChannelOf(1);
        let count = 0;
        ensemble.network.alter = (chunk, way) =>
          way.connection === connection && way.forth === toLeader ? alter(chunk, ++count) : [chunk];
        ensemble.propose(2);
        ensemble.propose(2);
        ensemble.clock.advance(1000);
        ensemble.propose(2);
        ensemble.expectAgreement();
        const leader = ensemble.leader.sid;
        const [found, ...more] = ensemble.violations;
        expect(more).toEqual([]);
        expect(found).toMatchObject({
          at: toLeader ? leader : 1,
          violation: { rule, peer: toLeader ? 1 : leader, purpose: 'LEARNER' },
        });
      });
    }
  }

  test('cross-wiring of the channels of two followers', () => {
    const ensemble = new Ensemble();
    ensemble.clock.advance(100);
    ensemble.propose(2);
    const connection = ensemble.learnerChannelOf(1);
    const other = ensemble.learnerChannelOf(2);
    ensemble.network.inject(other, 'far', ensemble.network.chunksOf(connection, true).at(-1) as Uint8Array);
    ensemble.clock.advance(1000);
    ensemble.propose(2);
    ensemble.expectAgreement();
    expect(ensemble.violations).toMatchObject([{ at: 3, violation: { rule: 'FOREIGN_FRAME', peer: 2 } }]);
  });

  // (h): nothing is wrong with what is there, so it is the heartbeats of Zab that find it.
  for (const toLeader of [true, false]) {
    test(`silence on the way ${toLeader ? 'to' : 'from'} the leader`, () => {
      const ensemble = new Ensemble();
      ensemble.clock.advance(100);
      ensemble.propose(2);
      const connection = ensemble.learnerChannelOf(1);
      ensemble.network.alter = (chunk, way) => (way.connection === connection && way.forth === toLeader ? [] : [chunk]);
      ensemble.propose(2);
      ensemble.clock.advance(2000);
      ensemble.propose(2);
      ensemble.expectAgreement();
      expect(ensemble.network.ends[connection]?.near.isOpen).toBe(false);
      expect(ensemble.violations).toEqual([]);
    });
  }
});

test('an election goes on where a channel of it falls silent', () => {
  const ensemble = new Ensemble();
  const silenced = new Set<string>();
  // The first election channel of each server to each other loses all but its handshake.
  ensemble.network.alter = (chunk, { from, to, connection, forth, index }) => {
    if (!forth || index < 2) return [chunk];
    if (isLearner(ensemble, { way: { connection } })) return [chunk];
    if (ensemble.network.ends.findIndex(({ near }) => near.way.from === from && near.way.to === to) !== connection) return [chunk];
    silenced.add(`${from}>${to}`);
    return [];
  };
  ensemble.clock.advance(200);
  expect([...ensemble.replicas.values()].some((replica) => replica.isServingLeader)).toBe(false);
  ensemble.clock.advance(2000);
  expect(silenced.size).toBe(6);
  ensemble.propose(2);
  ensemble.expectAgreement();
  expect(ensemble.violations).toEqual([]);
});
