/**
 * What is done to a disk in many steps, each waiting for the one before, written down as a function that stops at each: a generator. Nothing here is a promise;
 * who calls back, and when, is the disk's affair, so the same disk gives the same order always.
 */
import { DiskError } from '@quorate/ports';

/** A call of the disk, waiting to be made with what shall be called back. */
type Call = (done: (result: unknown) => void) => void;

export type Steps<T> = Generator<Call, T, unknown>;

/**
 * Makes one call, `yield* wait((done) => file.flush(done))`, and gives what it answers.
 *
 * @throws DiskError what the call answered with.
 */
export function* wait<T>(call: (done: (result: T | DiskError) => void) => void): Steps<T> {
  const result = yield call as Call;
  if (result instanceof DiskError) throw result;
  return result as T;
}

/**
 * Goes through the steps to their end, or to the first error. Calls back at once where no step waits.
 *
 * @param isOver whether no step may be taken any more; what has waited for something else than the disk could else go on with a disk that is closed.
 */
export function run<T>(steps: Steps<T>, done: (result: T | Error) => void, isOver = (): boolean => false): void {
  const advance = (value?: unknown): void => {
    if (isOver()) return;
    let next: IteratorResult<Call, T>;
    try {
      next = steps.next(value);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (next.done === true) done(next.value);
    else next.value(advance);
  };
  advance();
}
