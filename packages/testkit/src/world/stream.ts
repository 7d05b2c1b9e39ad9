/**
 * A two-way stream between two hosts, the legal kind: each direction delivers a prefix of what was sent, in order, and nothing after
 * either end has closed. Learner channels and client connections are both made of it.
 */
import type { Link } from './link.js';
import type { SimProcess } from './sim-process.js';

export interface StreamHandler<In> {
  /** The far side has taken the stream. Only the dialling end is told. */
  onOpen?(): void;
  onMessage(message: In): void;
  onClose(): void;
}

/** What travels besides messages. */
const CONNECT = Symbol('connect');
const OPENED = Symbol('opened');
const CLOSE = Symbol('close');

/** Not a message: what its sender wants to know is that all before it has arrived. */
class RoomMark {
  readonly ready: () => void;

  constructor(ready: () => void) {
    this.ready = ready;
  }
}

/** Takes a stream that was dialled, or refuses it by giving nothing. */
export type Acceptor = (near: StreamEnd<unknown, unknown>) => StreamEnd<unknown, unknown> | undefined;

/** One end. */
export class StreamEnd<Out, In> {
  readonly host: string;
  readonly peerHost: string;
  readonly process: SimProcess;
  readonly #outgoing: Direction;
  #handler: StreamHandler<In> | undefined;
  #open = true;
  readonly #onEnd: ((end: StreamEnd<Out, In>) => void) | undefined;

  constructor(options: {
    readonly host: string;
    readonly peerHost: string;
    readonly process: SimProcess;
    readonly outgoing: Direction;
    readonly onEnd?: (end: StreamEnd<Out, In>) => void;
  }) {
    this.host = options.host;
    this.peerHost = options.peerHost;
    this.process = options.process;
    this.#outgoing = options.outgoing;
    this.#onEnd = options.onEnd;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get outgoing(): Direction {
    return this.#outgoing;
  }

  handle(handler: StreamHandler<In>): void {
    this.#handler = handler;
  }

  send(message: Out): void {
    if (this.#open) this.#outgoing.push(message);
  }

  /** There is room again when everything has arrived that was sent before. */
  awaitRoom(ready: () => void): void {
    const tell = (): void => {
      if (this.#open) ready();
    };
    if (this.#open) this.#outgoing.push(new RoomMark(() => this.process.enter(tell)));
  }

  /** This end is done; the other one is told once all that was sent before has arrived. */
  close(): void {
    if (!this.#open) return;
    this.#end();
    this.#outgoing.push(CLOSE);
  }

  /** The host of this end has given the connection up: both ends are told, each when it can be. */
  reset(): void {
    if (!this.#open) return;
    this.#end();
    this.#outgoing.push(CLOSE);
    this.process.enter(() => this.#handler?.onClose());
  }

  /** The process of this end is gone. What it had sent may not all have left the host; the other end learns of it late. */
  vanish(options: { readonly unsent: number; readonly delayMs: number }): void {
    if (!this.#open) return;
    this.#end();
    this.#outgoing.dropNewest(options.unsent);
    this.#outgoing.push(CLOSE, options.delayMs);
  }

  /** Something has arrived and is inside the process now. */
  take(item: unknown): void {
    if (!this.#open) return;
    if (item === CLOSE) {
      this.#end();
      this.#handler?.onClose();
    } else if (item === OPENED) {
      this.#handler?.onOpen?.();
    } else {
      this.#handler?.onMessage(item as In);
    }
  }

  /** Asks the far side to take the stream; messages may follow at once. */
  dial(): void {
    this.#outgoing.push(CONNECT);
  }

  #end(): void {
    this.#open = false;
    this.#onEnd?.(this);
  }
}

/** One direction of a stream: a queue in front of a link. */
export class Direction {
  readonly #link: Link;
  readonly #accept: Acceptor | undefined;
  readonly #near: () => StreamEnd<unknown, unknown>;
  /** The receiving end, once there is one. */
  far: StreamEnd<unknown, unknown> | undefined;
  #items: unknown[] = [];
  #dues: number[] = [];
  #head = 0;
  #waiting = false;
  #lastDue = 0;

  constructor(link: Link, near: () => StreamEnd<unknown, unknown>, accept?: Acceptor) {
    this.#link = link;
    this.#near = near;
    this.#accept = accept;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: unknown, extraMs = 0): void {
    const due = this.#link.clock.now() + this.#link.drawLatencyMs() + extraMs;
    this.#lastDue = due > this.#lastDue ? due : this.#lastDue;
    this.#items.push(item);
    this.#dues.push(this.#lastDue);
    if (!this.#waiting) this.#wait();
  }

  /** Forgets the newest messages that are still on their way; what opens the stream stays. */
  dropNewest(count: number): void {
    const kept = Math.max(this.#head, this.#items.length - count);
    const from = this.#items[this.#head] === CONNECT ? Math.max(kept, this.#head + 1) : kept;
    this.#items.length = Math.min(this.#items.length, from);
    this.#dues.length = this.#items.length;
  }

  #wait(): void {
    this.#waiting = true;
    if (this.#link.isCut) this.#link.whenMended(this.#resume);
    else this.#link.clock.setTimer((this.#dues[this.#head] as number) - this.#link.clock.now(), this.#deliver);
  }

  /** After a cut what had waited sets out anew. */
  readonly #resume = (): void => {
    this.#waiting = false;
    if (this.length === 0) return;
    const due = this.#link.clock.now() + this.#link.drawLatencyMs();
    for (let i = this.#head; i < this.#dues.length; i++) if ((this.#dues[i] as number) < due) this.#dues[i] = due;
    if (this.#lastDue < due) this.#lastDue = due;
    this.#wait();
  };

  readonly #deliver = (): void => {
    this.#waiting = false;
    const now = this.#link.clock.now();
    while (this.#head < this.#items.length && (this.#dues[this.#head] as number) <= now && !this.#link.isCut) {
      const item = this.#items[this.#head++];
      if (this.#head === this.#items.length) {
        this.#items = [];
        this.#dues = [];
        this.#head = 0;
      }
      this.#arrive(item);
    }
    if (this.length > 0 && !this.#waiting) this.#wait();
  };

  #arrive(item: unknown): void {
    if (item === CONNECT) {
      this.#connect();
      return;
    }
    if (item instanceof RoomMark) {
      item.ready();
      return;
    }
    const far = this.far;
    if (far === undefined) return;
    if (far.process.isPaused) far.process.enter(() => far.take(item));
    else if (!far.process.hasEnded) far.take(item);
  }

  #connect(): void {
    const near = this.#near();
    if (!near.isOpen) return;
    const far = this.#accept?.(near);
    this.far = far;
    if (far === undefined) this.#refusal?.push(CLOSE);
    else far.outgoing.push(OPENED);
  }

  /** The way back, on which a refusal travels. */
  #refusal: Direction | undefined;

  set refusal(direction: Direction) {
    this.#refusal = direction;
  }
}
