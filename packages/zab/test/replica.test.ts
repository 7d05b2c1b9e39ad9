/** The driver over the memory twins and the virtual clock: whole ensembles, as an application uses them. */
import { VirtualClock } from '@quorate/ports';
import { makeZxid, type Zxid } from '@quorate/protocol';
import { type Application, MemoryNetwork, MemoryStorage, Replica, type Run, type Sid, type Status, type Storage } from '@quorate/zab';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';

/** An application whose state is the list of what it was given. */
class Recorder implements Application {
  entries: string[] = [];
  readonly statuses: Status[] = [];
  readonly synced: number[] = [];
  readonly requests: [Sid, number][] = [];
  readonly heartbeats: [Sid, number][] = [];
  restored = 0;
  beat = new Uint8Array();

  deliver(run: Run): void {
    run.payloads.forEach((payload, i) => void this.entries.push(`${run.zxid + i}:${payload.join('.')}`));
  }

  /** Three bytes at a time, so that a snapshot has many pieces. */
  snapshot(): Uint8Array[] {
    const bytes = Uint8Array.from(this.entries.join(','), (c) => c.charCodeAt(0));
    return Array.from({ length: Math.ceil(bytes.length / 3) }, (_, i) => bytes.slice(i * 3, i * 3 + 3));
  }

  restore(pieces: readonly Uint8Array[]): void {
    this.restored++;
    const text = pieces.map((piece) => String.fromCharCode(...piece)).join('');
    this.entries = text === '' ? [] : text.split(',');
  }

  onStatus(status: Status): void {
    this.statuses.push(status);
  }

  onRequest(from: Sid, payload: Uint8Array): void {
    this.requests.push([from, payload[0] as number]);
  }

  heartbeat(): Uint8Array {
    return this.beat;
  }

  onHeartbeat(from: Sid, payload: Uint8Array): void {
    this.heartbeats.push([from, payload[0] as number]);
  }

  onSynced(tag: number): void {
    this.synced.push(tag);
  }
}

class World {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly replicas = new Map<Sid, Replica>();
  readonly applications = new Map<Sid, Recorder>();
  readonly stores = new Map<Sid, Storage>();
  readonly voters: readonly Sid[];

  constructor(size: number) {
    this.voters = Array.from({ length: size }, (_, i) => i + 1);
    for (const sid of this.voters) {
      this.stores.set(sid, new MemoryStorage({ clock: this.clock }).format({ ensembleId: 'test' }));
      this.start(sid);
    }
  }

  start(sid: Sid, options: { readonly snapshotEvery?: number; readonly onFailure?: (error: Error) => void } = {}): void {
    const application = new Recorder();
    const replica = new Replica({
      sid,
      config: { version: 0, voters: this.voters },
      transport: this.network.transport(sid),
      storage: this.stores.get(sid) as Storage,
      clock: this.clock,
      application,
      tickTimeMs: 100,
      ...options,
    });
    this.applications.set(sid, application);
    this.replicas.set(sid, replica);
    replica.start();
  }

  stop(sid: Sid): void {
    this.replica(sid).stop();
    this.replicas.delete(sid);
  }

  replica(sid: Sid): Replica {
    return this.replicas.get(sid) as Replica;
  }

  application(sid: Sid): Recorder {
    return this.applications.get(sid) as Recorder;
  }

  get leader(): Replica | undefined {
    // While a partition lasts, an old leader may not yet know that it is one.
    let leader: Replica | undefined;
    for (const replica of this.replicas.values()) {
      if (replica.isServingLeader && (leader === undefined || replica.status.epoch > leader.status.epoch)) leader = replica;
    }
    return leader;
  }

  followers(): Sid[] {
    return [...this.replicas.keys()].filter((sid) => sid !== this.leader?.sid);
  }

  propose(value: number): Zxid | undefined {
    return this.leader?.propose(new Uint8Array([value]));
  }

  expectAgreement(): void {
    const [first, ...rest] = [...this.replicas.keys()].map((sid) => this.application(sid).entries);
    for (const entries of rest) expect(entries).toEqual(first);
  }
}

let world: World;
beforeEach(() => {
  world = new World(3);
  world.clock.advance(100);
});

test('three servers elect a leader within one round of messages, in no time', () => {
  const fresh = new World(3);
  fresh.clock.advance(0);
  expect(fresh.leader?.sid).toBe(3);
});

test('a server alone is an ensemble of one', () => {
  const alone = new World(1);
  alone.clock.advance(0);
  alone.propose(7);
  alone.clock.advance(0);
  expect(alone.application(1).entries).toEqual([`${makeZxid(1, 1)}:7`]);
});

test('proposals of one turn travel as one run and are delivered everywhere in order', () => {
  const runs: number[] = [];
  const { leader } = world;
  const deliver = world.application(1).deliver.bind(world.application(1));
  world.application(1).deliver = (run) => {
    runs.push(run.payloads.length);
    deliver(run);
  };
  const zxids = [1, 2, 3, 4, 5].map((value) => leader?.propose(new Uint8Array([value])));
  expect(zxids).toEqual([1, 2, 3, 4, 5].map((counter) => makeZxid(1, counter)));
  world.clock.advance(0);
  expect(runs).toEqual([5]);
  world.expectAgreement();
});

test('many proposals at once are delivered in turns, and others have theirs in between', () => {
  const alone = new World(1);
  alone.clock.advance(0);
  const { entries } = alone.application(1);
  const seen: number[] = [];
  const look = (): void => {
    seen.push(entries.length);
    if (entries.length < 5_000) alone.clock.defer(look);
  };
  const zxids = Array.from({ length: 5_000 }, (_, value) => alone.propose(value % 256));
  look();
  alone.clock.advance(0);
  expect(entries).toEqual(zxids.map((zxid, value) => `${zxid}:${value % 256}`));
  expect(Math.max(...seen.map((count, i) => count - (seen[i - 1] ?? 0)))).toBeLessThan(1_024);
});

test('a follower’s request reaches the leader’s application, its heartbeat too', () => {
  const [follower] = world.followers() as [Sid];
  world.replica(follower).request(new Uint8Array([42]));
  world.application(follower).beat = new Uint8Array([9]);
  world.clock.advance(100);
  const leader = world.application(world.leader?.sid as Sid);
  expect(leader.requests).toEqual([[follower, 42]]);
  expect(leader.heartbeats).toContainEqual([follower, 9]);
});

test('only a serving leader may propose', () => {
  expect(() => world.replica(world.followers()[0] as Sid).propose(new Uint8Array())).toThrow('only a serving leader');
});

test('the leader crashes: the rest elect another and lose nothing; it comes back and catches up', () => {
  for (let value = 0; value < 10; value++) world.propose(value);
  world.clock.advance(0);
  world.stop(3);
  world.clock.advance(20);
  expect(world.leader?.sid).toBe(2);
  expect(world.leader?.status.epoch).toBe(2);
  world.propose(10);
  world.clock.advance(0);
  world.start(3);
  world.clock.advance(20);
  expect(world.application(3).entries).toHaveLength(11);
  world.expectAgreement();
});

test('all servers lose power at once and come back with everything that was delivered', () => {
  for (let value = 0; value < 10; value++) world.propose(value);
  world.clock.advance(0);
  const before = [...world.application(1).entries];
  for (const sid of [1, 2, 3]) world.stop(sid);
  for (const sid of [1, 2, 3]) world.start(sid);
  world.clock.advance(100);
  expect(world.application(2).entries).toEqual(before);
  world.expectAgreement();
});

test('snapshots shorten the log, a restart begins with one, and a learner that is far behind gets one', () => {
  for (const sid of [1, 2, 3]) world.stop(sid);
  for (const sid of [1, 2, 3]) world.start(sid, { snapshotEvery: 10 });
  world.clock.advance(100);
  world.stop(1);
  for (let value = 0; value < 1_200; value++) {
    world.propose(value % 256);
    world.clock.advance(0);
  }
  world.start(1);
  world.clock.advance(100);
  expect(world.application(1).restored).toBe(1);
  expect(world.application(1).entries).toHaveLength(1_200);
  world.expectAgreement();
  world.stop(1);
  world.start(1);
  world.clock.advance(100);
  expect(world.application(1).restored).toBe(1);
  world.expectAgreement();
});

describe('partition', () => {
  test('the minority’s leader steps down, the majority goes on, and after healing what the minority proposed is gone', () => {
    world.propose(1);
    world.clock.advance(0);
    world.network.partition([[3], [1, 2]]);
    world.propose(66);
    world.clock.advance(2_000);
    expect(world.replica(3).status.serving).toBe(false);
    expect(world.leader?.sid).toBe(2);
    world.propose(2);
    world.clock.advance(0);
    world.network.heal();
    world.clock.advance(1_000);
    expect(world.application(3).entries.map((entry) => entry.split(':')[1])).toEqual(['1', '2']);
    world.expectAgreement();
  });

  test('a short one is bridged without an election', () => {
    const { epoch } = (world.leader as Replica).status;
    world.network.partition([[1, 2], [3]]);
    world.propose(1);
    world.clock.advance(100);
    world.network.heal();
    world.clock.advance(100);
    expect(world.leader?.status.epoch).toBe(epoch);
    expect(world.application(1).entries).toHaveLength(1);
    world.expectAgreement();
  });

  test('groups that overlap are refused by name', () => {
    expect(() =>
      world.network.partition([
        [1, 2],
        [2, 3],
      ]),
    ).toThrow('server 2 is named twice');
  });
});

test('sync on a follower is answered after it has been given all that was committed before', () => {
  const [follower] = world.followers() as [Sid];
  world.propose(1);
  world.replica(follower).sync(5);
  world.clock.advance(0);
  expect(world.application(follower).synced).toEqual([5]);
  expect(world.application(follower).entries).toHaveLength(1);
});

test('sync at a leader that is cut off is not answered', () => {
  world.network.partition([[3], [1, 2]]);
  world.replica(3).sync(5);
  world.clock.advance(200);
  expect(world.leader?.sid).toBe(3);
  expect(world.application(3).synced).toEqual([]);
});

describe('Rule 30: a server that must not go on', () => {
  const failing = (method: 'append' | 'saveAcceptedEpoch' | 'recover') => {
    const { clock } = world;
    const storage = new MemoryStorage({ clock });
    storage[method] = (...args: unknown[]) => {
      const done = args[args.length - 1] as (error: Error) => void;
      clock.defer(() => done(new Error(`${method}: no space left on device`)));
    };
    return storage;
  };

  test.each(['append', 'saveAcceptedEpoch', 'recover'] as const)('stops when its storage fails to %s, and says why', (method) => {
    const errors: Error[] = [];
    world.stop(1);
    world.stores.set(1, failing(method));
    world.start(1, { onFailure: (error) => errors.push(error) });
    world.clock.advance(100);
    world.propose(1);
    world.clock.advance(2_000);
    expect(errors.map(({ message }) => message)).toEqual([`${method}: no space left on device`]);
    expect(world.leader).toBeDefined();
    world.propose(2);
    world.clock.advance(0);
    expect(world.application(1).entries).toEqual([]);
    expect(world.application(2).entries).toHaveLength(2);
  });

  test('stops when its application throws', () => {
    const errors: Error[] = [];
    world.stop(1);
    world.start(1, { onFailure: (error) => errors.push(error) });
    world.application(1).deliver = () => {
      throw new Error('poison');
    };
    world.clock.advance(100);
    world.propose(1);
    world.clock.advance(100);
    expect(errors.map(({ message }) => message)).toEqual(['poison']);
    expect(world.application(2).entries).toHaveLength(1);
  });

  test('refuses a store that contradicts itself', () => {
    const errors: Error[] = [];
    world.stop(1);
    const storage = new MemoryStorage({ clock: world.clock });
    const image = { acceptedEpoch: 1, currentEpoch: 2, snapshot: undefined, runs: [], mark: undefined };
    storage.recover = (done) => world.clock.defer(() => done(image));
    world.stores.set(1, storage);
    world.start(1, { onFailure: (error) => errors.push(error) });
    world.clock.advance(100);
    expect(errors[0]?.message).toBe('stored currentEpoch is above acceptedEpoch');
  });
});

test('whatever crashes, returns and is cut off: servers agree, and nothing delivered is ever lost', () => {
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant('propose' as const), count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.nat(400) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('crash' as const), sid: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('restart' as const), sid: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('partition' as const), mask: fc.nat(31) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('heal' as const) }) },
  );
  fc.assert(
    fc.property(fc.constantFrom(3, 5), fc.array(action, { maxLength: 60 }), (size, actions) => {
      const w = new World(size);
      let value = 0;
      let longest: string[] = [];
      const note = () => {
        for (const { entries } of w.applications.values()) {
          const shorter = Math.min(entries.length, longest.length);
          expect(entries.slice(0, shorter)).toEqual(longest.slice(0, shorter));
          if (entries.length > longest.length) longest = [...entries];
        }
      };
      for (const step of actions) {
        if (step.type === 'propose') for (let i = 0; i < step.count; i++) w.propose(value++ % 256);
        else if (step.type === 'pass') w.clock.advance(step.ms);
        else if (step.type === 'crash' && w.replicas.has(step.sid)) w.stop(step.sid);
        else if (step.type === 'restart' && step.sid <= size && !w.replicas.has(step.sid)) w.start(step.sid, { snapshotEvery: 3 });
        else if (step.type === 'partition') w.network.partition([w.voters.filter((sid) => (step.mask >> sid) & 1)]);
        else if (step.type === 'heal') w.network.heal();
        w.clock.advance(1);
        note();
      }
      w.network.heal();
      for (const sid of w.voters) if (!w.replicas.has(sid)) w.start(sid);
      w.clock.advance(5_000);
      note();
      expect(w.leader).toBeDefined();
      w.propose(255);
      w.clock.advance(10);
      w.expectAgreement();
      expect(w.application(1).entries.slice(0, longest.length)).toEqual(longest);
    }),
    { numRuns: 150 },
  );
});
