/** What differs from seed to seed: sizes, times and rates, drawn small, so that rare paths are common. */
import type { Config, Limits } from '@quorate/zab';
import type { Climate } from '../world/link.js';
import { between, chance, millis, pick, RandomStreams } from '../world/random-streams.js';

export interface Knobs {
  readonly seed: number;
  /** Servers that vote. */
  readonly servers: number;
  /** Servers that only follow. */
  readonly observers: number;
  /** What each vote weighs, in one group; undefined for a majority. */
  readonly weights: readonly number[] | undefined;
  readonly tickTimeMs: number;
  readonly initLimit: number;
  readonly syncLimit: number;
  /** A snapshot after so many txns; undefined for the default, which no run reaches. */
  readonly snapshotEvery: number | undefined;
  /** How many txns are kept in memory for learners, and how many an epoch may have. */
  readonly limits: Partial<Limits>;
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  readonly latencySpikePermille: number;
  readonly datagramLossPermille: number;
  readonly datagramCopyPermille: number;
  readonly datagramLatePermille: number;
  readonly flushMinMs: number;
  readonly flushMaxMs: number;
  readonly flushSpikePermille: number;
  /** Whether the disks have the shipped store on them, with its recovery, instead of a model of one. */
  readonly logDisks: boolean;
  /** How long faults and work last, before the time in which all has to come right again. */
  readonly runMs: number;
  /** The mean time between two faults. */
  readonly faultEveryMs: number;
  /** Whether disks are lost only while a quorum of others can bring back what was on them. */
  readonly spreads: boolean;
  /** Whether in the end only a quorum is well, and all others are broken for ever. */
  readonly coreOnly: boolean;
  readonly clients: number;
  /** The mean pause of a client between two operations. */
  readonly thinkMs: number;
  readonly sessionTimeoutTicks: number;
  /** Who knows new sessions: all servers; their own alone; or their own alone until they create an ephemeral. */
  readonly sessions: 'ensemble' | 'local' | 'upgrading';
  /** Whether servers without a leader answer reads; some clients put up with it. */
  readonly readOnlyMode: boolean;
  /** Whether clients set quotas, and whether servers keep them or only tell of them. */
  readonly quotas: 'none' | 'told' | 'kept';
  /** How often a leader looks for containers and TTLs whose time has come, and how long a TTL is at least. */
  readonly sweepEveryTicks: number;
  readonly ttlTicksMin: number;
  /** Whether what clients and servers say passes through the shipped codecs. */
  readonly codecs: boolean;
  /** Whether what servers say to each other passes through `framed` over byte channels. */
  readonly framed: boolean;
  /** How many of a thousand chunks of these channels meet a fault that no channel may have. */
  readonly spoilPermille: number;
}

/** With these a majority of servers need not be a quorum; of five, one can never lead. */
const WEIGHTS = [2, 1, 2, 0, 2];

/** Who votes and who follows, by the knobs. */
export function configOf({ servers, observers, weights }: Pick<Knobs, 'servers' | 'observers' | 'weights'>): Config {
  const sids = Array.from({ length: servers + observers }, (_, i) => i + 1);
  const config = { version: 0, voters: sids.slice(0, servers), observers: sids.slice(servers) };
  return weights === undefined ? config : { ...config, groups: [{ weights: new Map(weights.map((weight, i) => [i + 1, weight])) }] };
}

/** What the network of a simulation is like. */
export function climateOf(knobs: Knobs): Climate {
  return {
    latencyMinMs: knobs.latencyMinMs,
    latencyMaxMs: knobs.latencyMaxMs,
    spikePermille: knobs.latencySpikePermille,
    datagramLossPermille: knobs.datagramLossPermille,
    datagramCopyPermille: knobs.datagramCopyPermille,
    datagramLatePermille: knobs.datagramLatePermille,
  };
}

/** The knobs of a seed. Each concern has its own stream, so a new knob leaves the others as they were. */
export function drawKnobs(seed: number, given: { readonly servers?: number | undefined } = {}): Knobs {
  const streams = new RandomStreams(seed);
  const time = streams.stream('knobs: time');
  const network = streams.stream('knobs: network');
  const disk = streams.stream('knobs: disk');
  const load = streams.stream('knobs: load');
  const limits = streams.stream('knobs: limits');
  const wire = streams.stream('knobs: wire');
  const keep = streams.stream('knobs: keep');
  // So little is kept that whoever is away for a moment is sent a snapshot.
  const stingy = chance(keep, 200);
  const tickTimeMs = pick(time, [50, 100, 100, 100, 100, 100, 100, 100]);
  // What a correct ensemble has to bear is slow disks and links, not ones that are too slow for its tick.
  const latencyMaxMs = Math.min(pick(network, [1, 2, 2, 5]), tickTimeMs / 16);
  const flushMaxMs = Math.min(pick(disk, [0.5, 2, 10, 40]), tickTimeMs / 4);
  const clients = between(load, 2, 5);
  const servers = given.servers ?? pick(streams.stream('knobs: servers'), [3, 3, 3, 5]);
  return {
    seed,
    servers,
    observers: pick(streams.stream('knobs: observers'), [0, 0, 0, 0, 1, 2]),
    weights: chance(streams.stream('knobs: weights'), 150) ? WEIGHTS.slice(0, servers) : undefined,
    tickTimeMs,
    initLimit: between(time, 5, 12),
    syncLimit: between(time, 2, 6),
    snapshotEvery: stingy ? between(keep, 2, 3) : chance(disk, 500) ? between(disk, 2, 50) : undefined,
    limits: {
      ...(chance(limits, 600) && { committedLogTxns: between(limits, 0, 20) }),
      ...(stingy && { committedLogTxns: between(keep, 0, 2) }),
      ...(chance(limits, 500) && { epochTxnsMax: between(limits, 20, 400) }),
    },
    latencyMinMs: 0.125,
    latencyMaxMs,
    latencySpikePermille: pick(network, [0, 0, 5, 20]),
    datagramLossPermille: pick(network, [0, 50, 300]),
    datagramCopyPermille: pick(network, [0, 50, 200]),
    datagramLatePermille: pick(network, [0, 20, 200]),
    flushMinMs: 0.0625,
    flushMaxMs,
    flushSpikePermille: pick(disk, [0, 5, 30]),
    logDisks: chance(streams.stream('knobs: log'), 150),
    runMs: between(time, 10, 20) * 1000,
    faultEveryMs: pick(streams.stream('knobs: weather'), [1000, 2000, 2000, 3000]),
    spreads: !chance(streams.stream('knobs: spread'), 120),
    coreOnly: chance(streams.stream('knobs: core'), 500),
    clients,
    // At least 25 operations per second over all clients, while they are connected: some come in bursts.
    thinkMs: millis(load, clients * 35, clients * 55),
    sessionTimeoutTicks: chance(load, 250) ? between(load, 25, 45) : between(load, 8, 20),
    sessions: pick(streams.stream('knobs: sessions'), ['ensemble', 'ensemble', 'ensemble', 'ensemble', 'ensemble', 'local', 'upgrading']),
    readOnlyMode: chance(streams.stream('knobs: read-only'), 200),
    quotas: pick(streams.stream('knobs: quotas'), ['none', 'none', 'none', 'none', 'told', 'kept']),
    sweepEveryTicks: between(streams.stream('knobs: sweep'), 2, 12),
    ttlTicksMin: between(streams.stream('knobs: ttl'), 2, 12),
    codecs: chance(load, 500),
    framed: chance(wire, 500),
    spoilPermille: pick(wire, [0, 0, 2, 10]),
  };
}
