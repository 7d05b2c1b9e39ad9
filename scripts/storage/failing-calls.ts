/**
 * Every call of the disk fails once, in each way: nothing completes after an error that was told, and what had completed is there after the loss of power. A call is
 * borne where the store went on: there was no room for a snapshot, or for the next segment, or a copy could not be read.
 */
import { type DiskCall, type DiskFault, SeededRandom, VirtualClock } from '@quorate/ports';
import { count, type Tally } from './tally.ts';
import { describe, find, isLegal, live, type Workload } from './workload.ts';

export const FAULTS = 'calls failed';

export function failEachCall(workload: Workload, tally: Tally): void {
  const random = new SeededRandom(workload.seed);
  const operations: DiskCall['operation'][] = [];
  live(workload, (_, { operation }) => {
    operations.push(operation);
    return undefined;
  });
  for (const fault of ['IO', 'NO_SPACE', 'SHORT_WRITE'] satisfies DiskFault[]) {
    for (const [at, operation] of operations.entries()) {
      if (fault === 'SHORT_WRITE' && operation !== 'write') continue;
      const { disk, course } = live(workload, (_, { index }) => (index === at ? fault : undefined));
      count(tally, FAULTS);
      if (course.error === undefined) count(tally, 'borne');
      const what = `seed ${workload.seed}, ${fault} at call ${at}, ${operation}`;
      if (course.completedAfterError > 0) tally.failures.push(`${what}: ${course.completedAfterError} calls completed after the error`);
      if (course.error === undefined && course.completed < course.states.length - 1)
        tally.failures.push(`${what}: a call was never answered`);
      const clock = new VirtualClock();
      const text = describe(find(disk.crash(random, { clock }), clock, workload.segmentBytes));
      if (!isLegal(course, text)) tally.failures.push(`${what}\n  found ${text}\n  completed ${course.states[course.completed] ?? ''}`);
    }
  }
}
