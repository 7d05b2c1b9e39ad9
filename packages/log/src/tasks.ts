/**
 * What a store has under way. The first failure of any of it ends all: nobody knows what a disk has that has failed once, so nothing completes any more, and whoever
 * waits, or comes later, is told of it.
 */
import type { Clock } from '@quorate/ports';
import { run, type Steps } from './steps.js';

export interface TasksOptions {
  readonly clock: Pick<Clock, 'defer'>;
  readonly onFailure: (error: Error) => void;
  /** Nothing is done any more, for a failure or because it was asked for. */
  readonly onEnd: () => void;
}

export class Tasks {
  readonly #options: TasksOptions;
  /** Everything that is under way, so that it can be ended. */
  readonly #running = new Set<Steps<unknown>>();
  /** Who has to be told of a failure. */
  readonly #concerned = new Set<(error: Error) => void>();
  readonly #background: (() => Steps<void>)[] = [];
  #inBackground = false;
  #failure: Error | undefined;
  #closed = false;

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  run<T>(steps: Steps<T>, done: (result: T) => void): void {
    const isOver = (): boolean => this.#closed || this.#failure !== undefined;
    if (isOver()) return;
    this.#running.add(steps);
    const finish = (result: T | Error): void => {
      this.#running.delete(steps);
      if (result instanceof Error) this.#fail(result);
      else done(result);
    };
    run(steps, finish, isOver);
  }

  /** One after the other, beside everything else. */
  inTheBackground<T>(steps: () => Steps<T>, done: (result: T) => void = () => {}): void {
    this.#background.push(function* (): Steps<void> {
      done(yield* steps());
    });
    if (this.#inBackground) return;
    this.#inBackground = true;
    this.#options.clock.defer(() => {
      this.run(this.#workInBackground(), () => {
        this.#inBackground = false;
      });
    });
  }

  *#workInBackground(): Steps<void> {
    for (let steps = this.#background.shift(); steps !== undefined; steps = this.#background.shift()) yield* steps();
  }

  /** Gives the caller the result later, or before that the failure of the store. */
  answering<T>(done: (result: T | Error) => void): (result: T) => void {
    const fail = (error: Error): void => done(error);
    this.#concerned.add(fail);
    return (result) => {
      this.#concerned.delete(fail);
      this.later(() => done(result));
    };
  }

  /** Whether a call comes too late; then it is told so. */
  refuses(done: (error: Error) => void): boolean {
    const failure = this.#failure;
    if (failure !== undefined) this.later(() => done(failure));
    return failure !== undefined;
  }

  /** A callback never comes from within the call, nor after `close`. */
  later(done: () => void): void {
    this.#options.clock.defer(() => {
      if (!this.#closed) done();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined || this.#closed) return;
    this.#failure = error;
    this.#options.onFailure(error);
    for (const tell of this.#concerned) this.later(() => tell(error));
    this.#concerned.clear();
    this.#end();
  }

  /** Ends what is under way, without a word to anybody. */
  #end(): void {
    this.#options.onEnd();
    // Whoever gives a snapshot is told that the rest is not wanted; later, because one of them may be what has led here.
    this.#options.clock.defer(() => {
      for (const steps of this.#running) steps.return(undefined);
      this.#running.clear();
    });
  }
}
