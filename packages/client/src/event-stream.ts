/**
 * Events for any number of `for await` loops.
 *
 * Each loop has a buffer of its own that begins when the loop does. A loop that does not keep up loses the oldest events, so that nobody
 * who forgets to read makes the process grow; where the stream has a word for that, it is told so in their place.
 */

/** How many unread events a loop keeps, unless the stream says otherwise. */
export const EVENTS_KEPT_MAX = 1024;

export class EventStream<T> implements AsyncIterable<T> {
  readonly #keptMax: number;
  readonly #missed: Missed<T> | undefined;
  readonly #readers = new Set<Reader<T>>();
  #ended = false;

  /** @param missed what a loop gets in place of the events that it has lost, given the last of them; nothing when absent. */
  constructor(keptMax: number = EVENTS_KEPT_MAX, missed?: Missed<T>) {
    this.#keptMax = keptMax;
    this.#missed = missed;
  }

  push(event: T): void {
    for (const reader of this.#readers) reader.push(event);
  }

  /** Every loop ends once it has read what is in its buffer. */
  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this.#read();
  }

  /** The same events, after one that each loop gets first. */
  from(first: () => T): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const reader = this.#read();
        reader.push(first());
        return reader;
      },
    };
  }

  #read(): Reader<T> {
    const reader = new Reader<T>(this.#keptMax, this.#missed, () => this.#readers.delete(reader));
    if (this.#ended) reader.end();
    else this.#readers.add(reader);
    return reader;
  }
}

type Missed<T> = (lastLost: T) => T;

class Reader<T> implements AsyncIterableIterator<T> {
  readonly #keptMax: number;
  readonly #missed: Missed<T> | undefined;
  readonly #onReturn: () => void;
  readonly #unread: T[] = [];
  readonly #waiting: ((result: IteratorResult<T>) => void)[] = [];
  /** Stands before all that is unread. */
  #gap: { readonly event: T } | undefined;
  #ended = false;

  constructor(keptMax: number, missed: Missed<T> | undefined, onReturn: () => void) {
    this.#keptMax = keptMax;
    this.#missed = missed;
    this.#onReturn = onReturn;
  }

  push(event: T): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting({ value: event, done: false });
    if (this.#unread.length === this.#keptMax) {
      const lost = this.#unread.shift() as T;
      if (this.#missed !== undefined) this.#gap = { event: this.#missed(lost) };
    }
    this.#unread.push(event);
  }

  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T>> {
    const gap = this.#gap;
    this.#gap = undefined;
    const event = gap === undefined ? this.#unread.shift() : gap.event;
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<T>> {
    this.#onReturn();
    this.#unread.length = 0;
    this.#gap = undefined;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
