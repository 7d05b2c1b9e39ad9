/**
 * The power fails before every call of the disk, with every part of the unflushed surviving: all subsets where there are few parts, else every prefix of the bytes and random
 * subsets. The store has to start by itself, with everything that had completed.
 */
import { type MemoryDisk, randomBelow, SeededRandom, VirtualClock } from '@quorate/ports';
import { count, type Tally } from './tally.ts';
import { type Course, describe, find, isLegal, type Life, live, type Workload } from './workload.ts';

export const LOSSES = 'losses of power';

const PARTS_MAX = 6;
const SUBSETS = 16;
const PREFIXES = 40;
/** One of so many images is started with the power failing again on the way. */
const AGAIN = 40;
/** Within so many calls a process is killed. */
const CALLS = 150;

interface Trial {
  readonly workload: Workload;
  readonly tally: Tally;
  readonly random: SeededRandom;
}

export function losePower(workload: Workload, tally: Tally): void {
  const trial = { workload, tally, random: new SeededRandom(workload.seed + 1) };
  const life = live(workload, (before, { index }) => {
    examine(trial, before, index);
    return undefined;
  });
  examine(trial, life, Number.POSITIVE_INFINITY);
}

/** The process is killed at one call, and so it is when all is quiet; the next one starts with what the disk shows, flushed or not. It costs so little that it can be done to many stores. */
export function kill(workload: Workload, tally: Tally): void {
  const trial = { workload, tally, random: new SeededRandom(workload.seed + 1) };
  const at = randomBelow(trial.random, CALLS);
  const life = live(workload, ({ disk, course }, { index }) => {
    if (index === at) startUnderLosses(trial, { disk, course }, index);
    return undefined;
  });
  startUnderLosses(trial, life, Number.POSITIVE_INFINITY);
}

function examine(trial: Trial, { disk, course }: Life, index: number): void {
  const { workload, tally, random } = trial;
  for (const surviving of survivals(disk, random)) {
    count(tally, LOSSES);
    const clock = new VirtualClock();
    const loss = disk.afterPowerLoss(surviving, { clock, sectorBytes: 64 });
    if (randomBelow(random, AGAIN) === 0) startUnderLosses(trial, { disk: loss, course }, index);
    const text = describe(find(loss, clock, workload.segmentBytes));
    if (!isLegal(course, text)) fail(trial, course, index, `surviving [${surviving.join(' ')}]`, text);
  }
}

/** It starts on this disk while the power fails at every call. */
function startUnderLosses(trial: Trial, { disk, course }: Life, index: number): void {
  const { workload, tally, random } = trial;
  const clock = new VirtualClock();
  const frozen = disk.copy({ clock, sectorBytes: 64 });
  const afterLoss = (): string => {
    const later = new VirtualClock();
    return describe(find(watched.crash(random, { clock: later, sectorBytes: 64 }), later, workload.segmentBytes));
  };
  const watched: MemoryDisk = frozen.reopen({
    clock,
    sectorBytes: 64,
    onCall: () => {
      count(tally, 'while a store started');
      const text = afterLoss();
      if (!isLegal(course, text)) fail(trial, course, index, 'at a start', text);
      return undefined;
    },
  });
  // What it has given is believed by others: that much is safe now.
  const told = describe(find(watched, clock, workload.segmentBytes));
  const safe = course.states.indexOf(told, course.completed);
  const text = safe === -1 ? 'nothing else' : afterLoss();
  if (!isLegal({ ...course, completed: safe }, text)) fail(trial, course, index, 'after a start', `${text} after ${told}`);
}

function fail({ workload, tally }: Trial, { states, completed }: Course, index: number, when: string, text: string): void {
  tally.failures.push(
    `seed ${workload.seed}, call ${index}, ${when}\n  found ${text}\n  completed ${states[completed] ?? ''}\n  ordered ${states[states.length - 1] ?? ''}`,
  );
}

function* survivals(disk: MemoryDisk, random: SeededRandom): Iterable<number[]> {
  const lengths = disk.unflushed().map(({ length }) => length);
  if (lengths.length <= PARTS_MAX) {
    for (let subset = 0; subset < 1 << lengths.length; subset++) yield lengths.map((length, i) => ((subset >> i) & 1) * length);
  } else {
    for (let i = 0; i < SUBSETS; i++) yield lengths.map((length) => randomBelow(random, 2) * length);
  }
  const total = lengths.reduce((sum, length) => sum + length, 0);
  for (let i = 0; i < Math.min(PREFIXES, total); i++) {
    let left = total <= PREFIXES ? i : randomBelow(random, total);
    yield lengths.map((length) => {
      const survives = Math.min(left, length);
      left -= survives;
      return survives;
    });
  }
}
