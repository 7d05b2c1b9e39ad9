/** A store in use over a disk in memory, beside the model of what it should have: many calls a turn, readings, snapshots. */
import { LogStorage } from '@quorate/log';
import { type DiskCall, MemoryDisk, type MemoryDiskOptions, randomBelow, SeededRandom, VirtualClock } from '@quorate/ports';
import { StorageModel } from '@quorate/testkit';
import type { StoredImage } from '@quorate/zab';

export interface Workload {
  readonly seed: number;
  readonly turns: number;
  readonly segmentBytes: number;
}

/** What the store has been told to have, call by call, and how many of the calls have completed. */
export interface Course {
  /** The whole store as text before the first call, and after each. */
  readonly states: string[];
  completed: number;
  /** The first error that a call was answered with. */
  error: Error | undefined;
  /** What was done after that error. */
  completedAfterError: number;
}

export interface Life {
  readonly disk: MemoryDisk;
  readonly course: Course;
}

/** Sees each call before it is done, with the disk as it is then. */
export type Watcher = (life: Life, call: DiskCall) => ReturnType<NonNullable<MemoryDiskOptions['onCall']>>;

/** Uses a new store; the disk is left as it is when all is quiet. */
export function live({ seed, turns, segmentBytes }: Workload, watch: Watcher): Life {
  const random = new SeededRandom(seed);
  const clock = new VirtualClock();
  const model = new StorageModel();
  const course: Course = { states: [model.describe()], completed: 0, error: undefined, completedAfterError: 0 };
  const disk: MemoryDisk = new MemoryDisk({ clock, sectorBytes: 64, onCall: (call) => watch({ disk, course }, call) });
  const storage = new LogStorage({ disk, clock, segmentBytes });
  storage.recover((result) => {
    if (result instanceof Error) course.error = result;
  });
  clock.advance(1);
  const answered = (error?: Error): void => {
    if (error !== undefined) course.error ??= error;
    else if (course.error !== undefined) course.completedAfterError++;
  };
  for (let turn = 0; turn < turns && course.error === undefined; turn++) {
    for (let calls = 1 + randomBelow(random, 4); calls > 0; calls--) {
      const [name, act] = model.draw(random);
      // A snapshot is not ordered against the others, and changes nothing that can be told from outside.
      const ordered = !name.startsWith('saveSnapshot');
      if (ordered) course.states.push(model.describe());
      act(storage, (error) => {
        if (ordered && error === undefined) course.completed++;
        answered(error);
      });
    }
    if (randomBelow(random, 4) === 0)
      storage.readLog(model.drawPlace(random), 100, (runs) => answered(runs instanceof Error ? runs : undefined));
    // Sometimes the next calls come while these are under way.
    if (randomBelow(random, 4) === 0) for (let steps = randomBelow(random, 30); steps > 0; steps--) clock.step();
    else clock.advance(1);
  }
  clock.advance(1);
  storage.close();
  return { disk, course };
}

/** What the next process finds on a disk; undefined where it is never told. */
export function find(disk: MemoryDisk, clock: VirtualClock, segmentBytes: number): StoredImage | Error | undefined {
  let found: StoredImage | Error | undefined;
  const storage = new LogStorage({ disk, clock, segmentBytes });
  storage.recover((result) => {
    found = result;
  });
  while (found === undefined && clock.step());
  storage.close();
  return found;
}

/** The same as text, to be compared with the states of a course. */
export function describe(found: StoredImage | Error | undefined): string {
  if (found === undefined) return 'no answer';
  return found instanceof Error ? String(found) : StorageModel.describe(found);
}

/** Whether this is a state that calls which had not completed may have left. */
export function isLegal({ states, completed }: Course, text: string): boolean {
  return states.indexOf(text, completed) !== -1;
}
