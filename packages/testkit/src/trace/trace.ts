import type { Effect, Input, Sid } from '@quorate/zab';
import { describeEffect, describeInput } from './describe-zab-event.js';
import { foldEffect, foldInput } from './fold-zab-event.js';
import { TraceHash } from './trace-hash.js';

/** How many of the last events are kept for a report. */
const EVENTS_KEPT = 4096;

type Kind = 'input' | 'effect' | 'note';

/** All that happens in one run, as a hash, and the last of it as text. Events are turned into words only when they are asked for. */
export class Trace {
  readonly #now: () => number;
  readonly #hash = new TraceHash();
  readonly #kinds: Kind[] = new Array<Kind>(EVENTS_KEPT).fill('note');
  readonly #times = new Float64Array(EVENTS_KEPT);
  readonly #sids = new Uint16Array(EVENTS_KEPT);
  readonly #events: unknown[] = new Array<unknown>(EVENTS_KEPT).fill(undefined);
  #count = 0;
  /** Counts what the aim of the project is stated in: deliveries to a state machine. */
  #inputs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** All inputs and effects of this run, folded in their order. */
  get hash(): string {
    return this.#hash.toString();
  }

  get inputs(): number {
    return this.#inputs;
  }

  onInput(sid: Sid, input: Input): void {
    this.#inputs++;
    this.#keep('input', sid, input);
    foldInput(this.#hash, input);
  }

  onEffect(sid: Sid, effect: Effect): void {
    this.#keep('effect', sid, effect);
    foldEffect(this.#hash, effect);
  }

  /** Something that is neither: a fault, or what a client does. The text is made only for a report. */
  note(sid: Sid, folded: number, text: () => string): void {
    this.#keep('note', sid, text);
    this.#hash.fold(folded);
  }

  /** Folds more of what happened into the hash. */
  get folding(): TraceHash {
    return this.#hash;
  }

  /** The last events as a message sequence, oldest first; heartbeats, timers and the like only where `all` is asked for. */
  last(count: number, options: { readonly all?: boolean } = {}): string[] {
    const lines: string[] = [];
    const oldest = Math.max(0, this.#count - EVENTS_KEPT);
    for (let i = this.#count - 1; i >= oldest && lines.length < count; i--) {
      const slot = i % EVENTS_KEPT;
      const words = this.#describe(slot, options.all === true);
      if (words === undefined) continue;
      const seconds = ((this.#times[slot] as number) / 1000).toFixed(6).padStart(11);
      const sid = this.#sids[slot] as number;
      lines.push(`${seconds}  ${sid === 0 ? '  ' : `S${sid}`} ${words}`);
    }
    return lines.reverse();
  }

  #describe(slot: number, all: boolean): string | undefined {
    const event = this.#events[slot];
    switch (this.#kinds[slot]) {
      case 'input':
        return describeInput(event as Input, all);
      case 'effect':
        return describeEffect(event as Effect, all);
      default:
        return (event as () => string)();
    }
  }

  #keep(kind: Kind, sid: Sid, event: unknown): void {
    const slot = this.#count++ % EVENTS_KEPT;
    this.#kinds[slot] = kind;
    this.#times[slot] = this.#now();
    this.#sids[slot] = sid;
    this.#events[slot] = event;
    this.#hash.fold(this.#now() * 64);
    this.#hash.fold(sid);
  }
}
