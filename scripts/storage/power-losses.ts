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

export function losePower(workload: Workload, tally: Tally): void {
  const random = new SeededRandom(workload.seed + 1);
  const examine = (life: Life, index: number): void => {
    for (const surviving of survivals(life.disk, random)) {
      count(tally, LOSSES);
      const again = randomBelow(random, AGAIN) === 0;
      const clock = new VirtualClock();
      const loss = life.disk.afterPowerLoss(surviving, { clock, sectorBytes: 64 });
      if (again) startUnderLosses(loss, life.course, index);
      const text = describe(find(loss, clock, workload.segmentBytes));
      if (!isLegal(life.course, text)) fail(life.course, index, surviving, text);
    }
    if (randomBelow(random, AGAIN) === 0) startUnderLosses(life.disk, life.course, index);
  };
  /** Its process was killed, and it starts again while the power fails at every call. */
  const startUnderLosses = (disk: MemoryDisk, course: Course, index: number): void => {
    const clock = new VirtualClock();
    const frozen = disk.copy({ clock, sectorBytes: 64 });
    const watched: MemoryDisk = frozen.reopen({
      clock,
      sectorBytes: 64,
      onCall: () => {
        const later = new VirtualClock();
        const loss = watched.crash(random, { clock: later, sectorBytes: 64 });
        count(tally, 'while a store started');
        const text = describe(find(loss, later, workload.segmentBytes));
        if (!isLegal(course, text)) fail(course, index, [], text);
        return undefined;
      },
    });
    // What it has given is believed by others: that much is safe now.
    const told = describe(find(watched, clock, workload.segmentBytes));
    const later = new VirtualClock();
    const loss = watched.crash(random, { clock: later, sectorBytes: 64 });
    const text = describe(find(loss, later, workload.segmentBytes));
    if (!isLegal({ ...course, completed: course.states.indexOf(told, course.completed) }, text))
      fail(course, index, [], `${text} after ${told}`);
  };
  const fail = (course: Course, index: number, surviving: readonly number[], text: string): void => {
    const { states, completed } = course;
    tally.failures.push(
      `seed ${workload.seed}, call ${index}, surviving [${surviving.join(' ')}]\n  found ${text}\n  completed ${states[completed] ?? ''}\n  ordered ${states[states.length - 1] ?? ''}`,
    );
  };
  const life = live(workload, (before, { index }) => {
    examine(before, index);
    return undefined;
  });
  examine(life, Number.POSITIVE_INFINITY);
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
