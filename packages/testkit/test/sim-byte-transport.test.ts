/** The simulated byte transport under `framed`: what is legal raises no alarm, and of what is not nothing is believed. */
import { SeededRandom, VirtualClock } from '@quorate/ports';
import {
  type Application,
  type Channel,
  type ChannelHandler,
  MemoryStorage,
  type Message,
  Replica,
  type Run,
  type Sid,
  type Transport,
  type TransportHandler,
  type WireRule,
} from '@quorate/zab';
import { describe, expect, test } from 'vitest';
import { between, chance, millis } from '../src/world/random-streams.ts';
import { simFramedTransport } from '../src/world/sim-byte-transport.ts';
import { SimNetwork } from '../src/world/sim-network.ts';
import { SimProcess } from '../src/world/sim-process.ts';
import { hostOf } from '../src/world/sim-transport.ts';
import type { Spoil, SpoilFault } from '../src/world/spoil.ts';

const CLIMATE = {
  latencyMinMs: 0.125,
  latencyMaxMs: 2,
  spikePermille: 10,
  datagramLossPermille: 0,
  datagramCopyPermille: 0,
  datagramLatePermille: 0,
};

/** A few servers whose transports are spoilt as much as is said. */
class World {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly network: SimNetwork;
  readonly spoil: Spoil;
  readonly rules = new Map<WireRule, number>();
  readonly faults = new Map<SpoilFault, number>();
  readonly processes = new Map<Sid, SimProcess>();

  constructor(seed: number, permille: number) {
    this.random = new SeededRandom(seed);
    this.network = new SimNetwork({ clock: this.clock, random: new SeededRandom(seed + 1000), climate: CLIMATE });
    this.spoil = { permille };
  }

  transport(sid: Sid): Transport {
    const process = new SimProcess(this.clock);
    this.processes.set(sid, process);
    return simFramedTransport({
      sid,
      network: this.network,
      process,
      random: this.random,
      spoil: this.spoil,
      ensembleId: 'simulated',
      answerTimeoutMs: 200,
      onSpoilt: (fault) => count(this.faults, fault),
      onViolation: ({ rule }) => count(this.rules, rule),
    });
  }
}

function count<T>(counts: Map<T, number>, key: T): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** One end of a channel: what has come, and whether it has closed. */
class Ear implements ChannelHandler {
  readonly tags: number[] = [];
  isClosed = false;
  afterClose = 0;

  onMessage(message: Message): void {
    if (this.isClosed) this.afterClose++;
    this.tags.push(message.type === 'SYNC' ? message.tag : -1);
  }

  onClose(): void {
    if (this.isClosed) this.afterClose++;
    this.isClosed = true;
  }
}

/** Server 2, which answers each message by ten times its tag. */
class Echo implements TransportHandler {
  readonly ears: Ear[] = [];

  onNotification(): void {}

  onChannel(_from: Sid, channel: Channel): ChannelHandler {
    const ear = new Ear();
    this.ears.push(ear);
    return {
      onMessage: (message) => {
        ear.onMessage(message);
        if (message.type === 'SYNC') channel.send({ type: 'SYNC', tag: message.tag * 10 });
      },
      onClose: () => ear.onClose(),
    };
  }
}

/** Talks over three channels at a time, each numbered by thousands, and gives what was heard on each. */
function talk(world: World): readonly Ear[] {
  const echo = new Echo();
  const one = world.transport(1);
  one.start({ onNotification: () => {}, onChannel: () => new Ear() });
  world.transport(2).start(echo);
  const ears: Ear[] = [];
  for (let channels = 0; channels < 3; channels++) {
    const ear = new Ear();
    ears.push(ear);
    const channel = one.open(2, ear);
    for (let i = 0; i < 60; i++) {
      world.clock.setTimer(i * 2, () => channel.send({ type: 'SYNC', tag: (channels + 1) * 1000 + i }));
    }
    if (channels < 2) world.clock.setTimer(100, () => channel.close());
  }
  world.clock.advance(1000);
  return [...ears, ...echo.ears];
}

/** Whether these are consecutive tags of one channel, from its first. */
function isPrefix(tags: readonly number[]): boolean {
  const step = (tags[0] ?? 0) >= 10_000 ? 10 : 1;
  return tags.every((tag, i) => tag === (tags[0] as number) + i * step) && (tags[0] ?? 0) % (1000 * step) === 0;
}

describe('channels', () => {
  test('that are not spoilt deliver everything, however they are cut', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const world = new World(seed, 0);
      const ears = talk(world);
      expect(ears.length).toBe(6);
      for (const ear of ears) expect(isPrefix(ear.tags)).toBe(true);
      // The one that nobody closed.
      expect(ears.filter((ear) => ear.tags.length === 60 && !ear.isClosed).length).toBe(2);
      expect([...world.rules]).toEqual([]);
    }
  });

  test('that are spoilt deliver a prefix, and nothing after a close', () => {
    const [rules, faults] = [new Set<WireRule>(), new Set<SpoilFault>()];
    for (let seed = 1; seed <= 300; seed++) {
      const world = new World(seed, 20);
      for (const ear of talk(world)) {
        expect({ seed, isPrefix: isPrefix(ear.tags), afterClose: ear.afterClose }).toEqual({ seed, isPrefix: true, afterClose: 0 });
      }
      for (const rule of world.rules.keys()) rules.add(rule);
      for (const fault of world.faults.keys()) faults.add(fault);
    }
    expect([...faults].sort()).toEqual(
      ['cross-wired', 'doubled', 'flipped', 'late', 'lost', 'silenced', 'split wrongly', 'swapped'].sort(),
    );
    expect([...rules].sort()).toEqual(['BYTES_AFTER_CLOSE', 'CORRUPT_FRAME', 'FOREIGN_FRAME', 'FRAME_LOST', 'FRAME_REPEATED']);
  }, 60_000);
});

class Recorder implements Application {
  readonly entries: string[] = [];

  deliver(run: Run): void {
    run.payloads.forEach((payload, i) => void this.entries.push(`${run.zxid + i}:${payload.join('.')}`));
  }

  snapshot(): Uint8Array[] {
    return [Uint8Array.from(this.entries.join(), (c) => c.charCodeAt(0))];
  }

  restore(pieces: readonly Uint8Array[]): void {
    const text = pieces.map((piece) => String.fromCharCode(...piece)).join('');
    this.entries.splice(0, this.entries.length, ...(text === '' ? [] : text.split(',')));
  }

  onStatus(): void {}
}

/** Three servers over such channels, which crash and are cut off now and then. */
class Ensemble extends World {
  readonly replicas = new Map<Sid, Replica>();
  readonly applications = new Map<Sid, Recorder>();
  readonly #stores = new Map<Sid, MemoryStorage>();
  #proposed = 0;

  constructor(seed: number, permille: number) {
    super(seed, permille);
    for (const sid of [1, 2, 3]) {
      this.#stores.set(sid, new MemoryStorage({ clock: this.clock }).format({ ensembleId: 'simulated' }));
      this.start(sid);
    }
  }

  start(sid: Sid): void {
    const transport = this.transport(sid);
    const application = new Recorder();
    const replica = new Replica({
      sid,
      config: { version: 0, voters: [1, 2, 3] },
      transport,
      storage: this.#stores.get(sid) as MemoryStorage,
      clock: this.processes.get(sid) as SimProcess,
      application,
      tickTimeMs: 50,
      snapshotEvery: 20,
      limits: { committedLogTxns: 5 },
    });
    this.replicas.set(sid, replica);
    this.applications.set(sid, application);
    replica.start();
  }

  crash(sid: Sid): void {
    this.replicas.get(sid)?.stop();
    this.processes.get(sid)?.end();
    this.replicas.delete(sid);
  }

  /** What happens in half a second: work, and sometimes a fault that is legal. */
  live(): void {
    for (const replica of this.replicas.values())
      if (replica.isServingLeader) for (let i = 0; i < 5; i++) replica.propose(Uint8Array.of(this.#proposed++ & 0xff));
    const sid = between(this.random, 1, 3);
    if (chance(this.random, 300)) {
      this.crash(sid);
      this.clock.advance(millis(this.random, 0, 200));
      this.start(sid);
    } else if (chance(this.random, 300)) {
      const other = (sid % 3) + 1;
      const mend = this.network.cut([
        [hostOf(sid), hostOf(other)],
        [hostOf(other), hostOf(sid)],
      ]);
      this.clock.setTimer(millis(this.random, 0, 600), mend);
    }
    this.clock.advance(500);
  }

  /** No more faults: what all servers must agree on, with at least one new txn. */
  calm(): void {
    this.spoil.permille = 0;
    this.network.heal();
    this.clock.advance(3000);
    const leaders = [...this.replicas.values()].filter((replica) => replica.isServingLeader);
    expect(leaders.length).toBe(1);
    leaders[0]?.propose(Uint8Array.of(255));
    this.clock.advance(500);
    const [first, ...others] = [...this.applications.values()].map(({ entries }) => entries);
    expect(first?.at(-1)?.endsWith(':255')).toBe(true);
    for (const entries of others) expect(entries).toEqual(first);
  }
}

describe('an ensemble', () => {
  test('over legal channels that end anywhere raises no alarm and agrees', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const ensemble = new Ensemble(seed, 0);
      for (let i = 0; i < 20; i++) ensemble.live();
      ensemble.calm();
      expect([...ensemble.rules]).toEqual([]);
    }
  }, 60_000);

  test('over illegal ones agrees all the same', () => {
    const rules = new Set<WireRule>();
    for (let seed = 1; seed <= 8; seed++) {
      const ensemble = new Ensemble(seed, 10);
      for (let i = 0; i < 20; i++) ensemble.live();
      ensemble.calm();
      for (const rule of ensemble.rules.keys()) rules.add(rule);
    }
    expect([...rules].sort()).toEqual(['BYTES_AFTER_CLOSE', 'CORRUPT_FRAME', 'FOREIGN_FRAME', 'FRAME_LOST', 'FRAME_REPEATED']);
  }, 60_000);
});
