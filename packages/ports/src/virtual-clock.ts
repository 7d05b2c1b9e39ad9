import type { Clock, Timer } from './clock.js';

/**
 * Time that moves only when it is told to: tests and simulations of hours take milliseconds.
 *
 * Deferred tasks run first and in order, then the earliest timer; timers of the same instant fire in the order in which they
 * were set. Invariant: no task runs inside another.
 */
export class VirtualClock implements Clock {
  readonly #wallOrigin: number;
  #now = 0;
  #order = 0;
  /** A binary heap by (due, order). */
  readonly #heap: VirtualTimer[] = [];
  #deferred: (() => void)[] = [];
  #deferredHead = 0;

  /** @param wallOrigin what `wallNow()` is at time 0, in milliseconds since the Unix epoch; 2020-01-01 when absent. */
  constructor(wallOrigin = 1_577_836_800_000) {
    this.#wallOrigin = wallOrigin;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#wallOrigin + Math.floor(this.#now);
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const timer = new VirtualTimer(this.#now + Math.max(0, delayMs), this.#order++, task);
    push(this.#heap, timer);
    return timer;
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** When the next task is due: `now()` where one is deferred, undefined where there is none at all. */
  nextDue(): number | undefined {
    if (this.#deferredHead < this.#deferred.length) return this.#now;
    this.#dropCancelled();
    return this.#heap[0]?.due;
  }

  /** Runs the next task, moving time to it. Returns false where there was none, or none due by `untilMs`. */
  step(untilMs = Number.POSITIVE_INFINITY): boolean {
    const deferred = this.#deferred[this.#deferredHead];
    if (deferred !== undefined) {
      this.#deferredHead++;
      if (this.#deferredHead === this.#deferred.length) {
        this.#deferred = [];
        this.#deferredHead = 0;
      }
      deferred();
      return true;
    }
    this.#dropCancelled();
    const first = this.#heap[0];
    if (first === undefined || first.due > untilMs) return false;
    pop(this.#heap);
    this.#now = Math.max(this.#now, first.due);
    first.fire();
    return true;
  }

  /** Runs everything that is due within the next `ms` milliseconds, in order, and ends exactly there. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.step(end)) {}
    this.#now = Math.max(this.#now, end);
  }

  /** Cancelled timers stay in the heap until they reach its top. */
  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.cancelled === true) pop(this.#heap);
  }
}

class VirtualTimer implements Timer {
  readonly due: number;
  readonly order: number;
  #task: (() => void) | undefined;

  constructor(due: number, order: number, task: () => void) {
    this.due = due;
    this.order = order;
    this.#task = task;
  }

  get cancelled(): boolean {
    return this.#task === undefined;
  }

  cancel(): void {
    this.#task = undefined;
  }

  fire(): void {
    const task = this.#task;
    this.#task = undefined;
    task?.();
  }
}

function before(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

function push(heap: VirtualTimer[], timer: VirtualTimer): void {
  let hole = heap.length;
  heap.push(timer);
  while (hole > 0) {
    const parentIndex = (hole - 1) >> 1;
    const parent = heap[parentIndex] as VirtualTimer;
    if (!before(timer, parent)) break;
    heap[hole] = parent;
    hole = parentIndex;
  }
  heap[hole] = timer;
}

function pop(heap: VirtualTimer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let hole = 0;
  for (;;) {
    let childIndex = hole * 2 + 1;
    if (childIndex >= heap.length) break;
    if (childIndex + 1 < heap.length && before(heap[childIndex + 1] as VirtualTimer, heap[childIndex] as VirtualTimer)) childIndex++;
    const child = heap[childIndex] as VirtualTimer;
    if (!before(child, last)) break;
    heap[hole] = child;
    hole = childIndex;
  }
  heap[hole] = last;
}
