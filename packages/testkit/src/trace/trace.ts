import type { ClientMessage, ServerMessage } from '@quorate/protocol';
import type { Effect, Input, Sid } from '@quorate/zab';
import { describeClientMessage, describeServerMessage } from './describe-client-event.js';
import { describeEffect, describeInput } from './describe-zab-event.js';
import { foldClientMessage, foldServerMessage } from './fold-client-event.js';
import { foldEffect, foldInput } from './fold-zab-event.js';
import { TraceHash } from './trace-hash.js';

/** How many of the last events are kept for a report, unless more are asked for. */
const EVENTS_KEPT = 4096;

type Kind = 'input' | 'effect' | 'sent' | 'received' | 'note';

/** Clients have numbers of their own, above those of servers. */
const CLIENTS_FROM = 256;

/** All that happens in one run, as a hash, and the last of it as text. Events are turned into words only when they are asked for. */
export class Trace {
  readonly #now: () => number;
  readonly #hash = new TraceHash();
  readonly #eventsKept: number;
  readonly #kinds: Kind[];
  readonly #times: Float64Array;
  readonly #sids: Uint16Array;
  readonly #events: unknown[];
  #count = 0;
  /** Counts what the aim of the project is stated in: deliveries to a state machine. */
  #inputs = 0;

  constructor(now: () => number, eventsKept = EVENTS_KEPT) {
    this.#now = now;
    this.#eventsKept = eventsKept;
    this.#kinds = new Array<Kind>(eventsKept).fill('note');
    this.#times = new Float64Array(eventsKept);
    this.#sids = new Uint16Array(eventsKept);
    this.#events = new Array<unknown>(eventsKept).fill(undefined);
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

  /** A client sends something to a server. */
  onSent(client: number, server: Sid, message: ClientMessage): void {
    this.#keep('sent', CLIENTS_FROM * client + server, message);
    foldClientMessage(this.#hash, message);
  }

  /** A client is told something by a server. */
  onReceived(client: number, server: Sid, message: ServerMessage): void {
    this.#keep('received', CLIENTS_FROM * client + server, message);
    foldServerMessage(this.#hash, message);
  }

  /** Something that is neither: a fault, or what a client does. The text is made only for a report. */
  note(sid: Sid, folded: number, text: () => string): void {
    this.#keep('note', sid, text);
    this.#hash.fold(folded);
  }

  /** Something that is told in words alone. */
  noteText(text: string): void {
    this.#keep('note', 0, () => text);
    this.#hash.foldText(text);
  }

  /** The last events as a message sequence, oldest first; heartbeats, timers and the like only where `all` is asked for. */
  last(count: number, options: { readonly all?: boolean } = {}): string[] {
    const lines: string[] = [];
    const oldest = Math.max(0, this.#count - this.#eventsKept);
    for (let i = this.#count - 1; i >= oldest && lines.length < count; i--) {
      const slot = i % this.#eventsKept;
      const words = this.#describe(slot, options.all === true);
      if (words === undefined) continue;
      const seconds = ((this.#times[slot] as number) / 1000).toFixed(6).padStart(11);
      lines.push(`${seconds}  ${who(this.#sids[slot] as number)} ${words}`);
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
      case 'sent':
        return `-> S${(this.#sids[slot] as number) % CLIENTS_FROM} ${describeClientMessage(event as ClientMessage)}`;
      case 'received':
        return `<- S${(this.#sids[slot] as number) % CLIENTS_FROM} ${describeServerMessage(event as ServerMessage)}`;
      default:
        return (event as () => string)();
    }
  }

  #keep(kind: Kind, sid: Sid, event: unknown): void {
    const slot = this.#count++ % this.#eventsKept;
    this.#kinds[slot] = kind;
    this.#times[slot] = this.#now();
    this.#sids[slot] = sid;
    this.#events[slot] = event;
    this.#hash.fold(this.#now() * 64);
    this.#hash.fold(sid);
  }
}

function who(number: number): string {
  if (number >= CLIENTS_FROM) return `C${Math.floor(number / CLIENTS_FROM)}`;
  return number === 0 ? '  ' : `S${number}`;
}
