/** One flood over one server: who is turned away, who is cut off and when, what the server takes of the memory, and whether its own clients notice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@quorate/node';
import type { ServeProcess } from '../crash/ensemble.ts';
import type { Fate } from './crowd.ts';
import { CrowdProcess } from './crowd-process.ts';
import { LOYAL_TIMEOUT_MS, Loyal, type Waits, waitsOf } from './loyal.ts';
import { Memory } from './memory.ts';
import { type Kind, LARGE_PATH, largeData, SESSION_TIMEOUT_MS } from './strangers.ts';

/** What the server grants one address (`maxClientCnxns`). */
export const PER_ADDRESS_MAX = 60;
export const LOYAL_COUNT = 30;
/** By then whoever is turned away knows it. */
const TURNED_AWAY_MS_MAX = 1_500;
/** As the server has it: until a client is introduced, and of its session's timeout the share after which one that does not read is cut off. */
const HANDSHAKE_MS_MAX = 10_000;
const DEAF_SHARE_MAX = 2 / 3;
/** How much later a server may cut somebody off: the machine has other work. */
const LATE_MS_MAX = 15_000;
const LARGE_BYTES = 64 * 1024;
const CALM_MS = 1_000;
/** How many come from one address, and how many more once the server is full. */
const PUSHED = 100;
/** Slower than this the first have been cut off before the last have come, and the server is never full. */
const GATHER_MS_MAX = 6_000;

const MEGABYTE = 1024 * 1024;
/** What a connection may take; what may wait for all of them before they get less; what the engine has not collected yet. */
const CONNECTION_BYTES_MAX = 32 * 1024;
const WAITING_BYTES_MAX = 64 * MEGABYTE;
const GARBAGE_BYTES_MAX = 128 * MEGABYTE;

export interface FloodOptions {
  /** It has been started, and grants `connections` besides those of the loyal. */
  readonly server: ServeProcess;
  /** The built `crowd.ts`. */
  readonly crowd: string;
  readonly connections: number;
}

export interface FloodResult {
  readonly gatheredMs: number;
  readonly fates: readonly Fate[];
  readonly calm: Waits;
  readonly flooded: Waits;
  readonly memory: Pick<Memory, 'before' | 'most' | 'after'>;
  readonly bytesMax: number;
  readonly faults: readonly string[];
}

/** Who comes: a half is mute. Those who claim too much come last, when there is room again. */
function countsOf(connections: number): Readonly<Record<Exclude<Kind, 'claimer'>, number>> {
  const hasty = Math.min(50, Math.floor(connections / 40));
  // The kernel alone takes ten megabytes for each of them.
  const deaf = Math.min(60, Math.floor(connections / 20));
  const mute = Math.floor(connections / 2) - PER_ADDRESS_MAX;
  return { mute, loris: connections - PER_ADDRESS_MAX - mute - hasty - deaf, hasty, deaf };
}

export async function flood({ server: { port, pid = 0 }, crowd: program, connections }: FloodOptions): Promise<FloodResult> {
  await using crowd = new CrowdProcess(program);
  const loyal = await Promise.all(Array.from({ length: LOYAL_COUNT }, (_, number) => Loyal.connect(`127.0.0.1:${port}`, number)));
  await createLarge(port);
  await sleep(CALM_MS);
  const calm = waitsOf(loyal);
  const memory = await Memory.of(pid);
  const faults: string[] = [];

  const push = { kind: 'push', port, count: PUSHED, withinMs: TURNED_AWAY_MS_MAX } as const;
  const { turnedAway } = await crowd.order({ ...push, sameAddress: true });
  if (turnedAway !== PUSHED - PER_ADDRESS_MAX)
    faults.push(`of ${PUSHED} of one address ${turnedAway} were turned away at once, not ${PUSHED - PER_ADDRESS_MAX}`);
  const { tookMs: gatheredMs } = await crowd.order({ kind: 'gather', port, counts: countsOf(connections) });
  const full = await crowd.order({ ...push, sameAddress: false });
  if (full.turnedAway < PUSHED && gatheredMs < GATHER_MS_MAX)
    faults.push(`of ${PUSHED} beyond the limit ${full.turnedAway} were turned away at once`);
  const patience = { kind: 'await', withinMs: HANDSHAKE_MS_MAX + LATE_MS_MAX } as const;
  const { fates } = await crowd.order({ ...patience, kinds: ['mute', 'loris', 'deaf'] });
  await crowd.order({ kind: 'gather', port, counts: { claimer: PUSHED } });
  const { fates: last } = await crowd.order({ ...patience, kinds: ['claimer'] });
  const { fates: standing } = await crowd.order({ ...patience, kinds: ['hasty'], withinMs: 0 });
  const flooded = waitsOf(loyal);

  await crowd.order({ kind: 'disperse' });
  await sleep(CALM_MS);
  memory.end();
  const all = [...fates, ...last, ...standing];
  const bytesMax = memory.before + connections * CONNECTION_BYTES_MAX + WAITING_BYTES_MAX + GARBAGE_BYTES_MAX;
  if (memory.most > bytesMax) faults.push('the server took more memory than it may');
  if (flooded.p99 >= LOYAL_TIMEOUT_MS / 3) faults.push(`of its clients, one in a hundred waits more than a third of the timeout`);
  faults.push(...all.flatMap(faultsOf));
  for (const fault of await Promise.all(loyal.map((one) => one.end()))) if (fault !== undefined) faults.push(fault);
  return { gatheredMs, fates: all, calm, flooded, memory, bytesMax, faults };
}

async function createLarge(port: number): Promise<void> {
  await using writer = await connect(`127.0.0.1:${port}`);
  await writer.create(LARGE_PATH, largeData(LARGE_BYTES));
}

const livesMsMax: Readonly<Record<Exclude<Kind, 'hasty'>, number>> = {
  mute: HANDSHAKE_MS_MAX + LATE_MS_MAX,
  loris: HANDSHAKE_MS_MAX + LATE_MS_MAX,
  // Before the time for its handshake is over.
  claimer: HANDSHAKE_MS_MAX / 2,
  deaf: DEAF_SHARE_MAX * SESSION_TIMEOUT_MS + LATE_MS_MAX,
};

function faultsOf({ kind, count, open, longestMs, kept, answers }: Fate): readonly string[] {
  if (kind === 'hasty') {
    const faults = open === count ? [] : [`${count - open} who read what they ask for were cut off`];
    return answers > 0 ? faults : [...faults, 'who asks much is answered nothing'];
  }
  const faults: string[] = [];
  if (open > 0) faults.push(`${kind}: ${open} of ${count} are still connected`);
  if (longestMs > livesMsMax[kind]) faults.push(`${kind}: one was cut off after ${Math.round(longestMs)} ms`);
  if (kind === 'deaf' && kept < count - open)
    faults.push(`deaf: of ${count - open} who were cut off, only ${kept} could go on with their session`);
  return faults;
}
