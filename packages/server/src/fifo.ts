/**
 * A queue without moving: `shift` is O(1) amortised, where an array's is O(n) once it is long. One that runs empty again and again keeps its array,
 * because an array that grows from nothing each time costs more than what goes through it.
 */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  push(item: T): void {
    if (this.#tail === this.#items.length) this.#items.push(item);
    else this.#items[this.#tail] = item;
    this.#tail++;
  }

  peek(): T | undefined {
    return this.#head === this.#tail ? undefined : this.#items[this.#head];
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#tail) this.#empty();
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#tail) this.#compact();
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#tail = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = this.#head; i < this.#tail; i++) yield this.#items[i] as T;
  }

  #empty(): void {
    if (this.#items.length > KEPT_MAX) this.clear();
    this.#head = 0;
    this.#tail = 0;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head, this.#tail);
    this.#tail -= this.#head;
    this.#head = 0;
  }
}

const COMPACT_AT = 1024;

/** Places that an empty queue keeps: a connection at rest shall not keep what a burst has needed. */
const KEPT_MAX = 128;
