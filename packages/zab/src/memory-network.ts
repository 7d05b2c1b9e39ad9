import type { Clock } from '@quorate/ports';
import type { Sid } from './config.js';
import { empty } from './empty.js';
import type { Message, Notification } from './messages.js';
import type { Channel, ChannelHandler, Transport, TransportHandler } from './transport.js';

/**
 * A network within one process: messages are passed by reference, in order, in the turn after the one in which they were sent.
 *
 * A partition is silent, as in life: what is sent across it waits and arrives when the partition heals, on the channels whose
 * ends have not given up by then.
 */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #members = new Map<Sid, MemoryTransport>();
  /** The group of each server while the network is partitioned. */
  #groups: ReadonlyMap<Sid, number> | undefined;
  /** What waits for its turn, in the order of sending. */
  #queue: Delivery[] = [];
  /** What has its turn now, from `#head` on: the two arrays take turns, so that neither is made anew. */
  #due: Delivery[] = [];
  #head = 0;
  /** What a partition holds up, in the order of sending; all of it older than what the queue has for the same two servers. */
  #held: Delivery[] = [];
  #scheduled = false;

  constructor(options: { readonly clock: Clock }) {
    this.#clock = options.clock;
  }

  /** The transport of one server. Asking again gives a new one, for a server that starts anew. */
  transport(sid: Sid): Transport {
    return new MemoryTransport(sid, this.#links);
  }

  /** Splits the network: servers reach those of their own group. A server that no group names is alone. */
  partition(groups: readonly (readonly Sid[])[]): void {
    const byServer = new Map<Sid, number>();
    groups.forEach((group, index) => {
      for (const sid of group) {
        if (byServer.has(sid)) throw new TypeError(`server ${sid} is named twice: the groups of a partition do not overlap`);
        byServer.set(sid, index);
      }
    });
    this.#groups = byServer;
    this.#releaseHeld();
  }

  /** Ends a partition. */
  heal(): void {
    this.#groups = undefined;
    this.#releaseHeld();
  }

  /** What was held up is judged anew, before anything that was sent later. */
  #releaseHeld(): void {
    if (this.#held.length === 0) return;
    this.#queue = [...this.#held, ...this.#due.slice(this.#head), ...this.#queue];
    this.#due = [];
    this.#head = 0;
    this.#held = [];
    this.#schedule();
  }

  readonly #links: Links = {
    join: (sid, transport) => void this.#members.set(sid, transport),
    leave: (sid, transport) => {
      if (this.#members.get(sid) === transport) this.#members.delete(sid);
    },
    find: (sid) => this.#members.get(sid),
    post: (delivery) => {
      this.#queue.push(delivery);
      this.#schedule();
    },
  };

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(this.#deliver);
  }

  /** Delivers what is there now; what comes of it waits for the next turn. */
  readonly #deliver = (): void => {
    this.#scheduled = false;
    // Something is left where a receiver has thrown: it goes first.
    if (this.#due.length === 0) [this.#due, this.#queue] = [this.#queue, this.#due];
    while (this.#head < this.#due.length) {
      const delivery = this.#due[this.#head++] as Delivery;
      if (this.#isCut(delivery.from, delivery.to)) this.#held.push(delivery);
      else delivery.run();
    }
    empty(this.#due);
    this.#head = 0;
    if (this.#queue.length > 0) this.#schedule();
  };

  #isCut(a: Sid, b: Sid): boolean {
    const groups = this.#groups;
    if (groups === undefined || a === b) return false;
    const group = groups.get(a);
    return group === undefined || group !== groups.get(b);
  }
}

/** Something on its way from one server to another. */
interface Delivery {
  readonly from: Sid;
  readonly to: Sid;
  run(): void;
}

/** A message on a channel: by far the most of what is on its way, so it is no closure. */
class Arrival implements Delivery {
  readonly from: Sid;
  readonly to: Sid;
  readonly #end: ChannelEnd;
  readonly #message: Message;

  constructor(end: ChannelEnd, message: Message) {
    this.from = end.from;
    this.to = end.to;
    this.#end = end;
    this.#message = message;
  }

  run(): void {
    this.#end.arrive(this.#message);
  }
}

/** What a transport needs of its network. */
interface Links {
  join(sid: Sid, transport: MemoryTransport): void;
  leave(sid: Sid, transport: MemoryTransport): void;
  find(sid: Sid): MemoryTransport | undefined;
  post(delivery: Delivery): void;
}

class MemoryTransport implements Transport {
  readonly #sid: Sid;
  readonly #links: Links;
  readonly #ends = new Set<ChannelEnd>();
  #handler: TransportHandler | undefined;

  constructor(sid: Sid, links: Links) {
    this.#sid = sid;
    this.#links = links;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#links.join(this.#sid, this);
  }

  notify(to: Sid, notification: Notification): void {
    const from = this.#sid;
    if (this.#handler === undefined) return;
    this.#links.post({ from, to, run: () => this.#links.find(to)?.receive(from, notification) });
  }

  open(to: Sid, handler: ChannelHandler): Channel {
    const near = new ChannelEnd(this.#sid, to, this.#links, this.#ends);
    near.handler = handler;
    this.#links.post({ from: this.#sid, to, run: () => this.#connect(near) });
    return near;
  }

  /** The opening has arrived at the far side. */
  #connect(near: ChannelEnd): void {
    if (this.#links.find(near.to)?.accept(near) === true) return;
    this.#links.post({ from: near.to, to: near.from, run: () => near.closed() });
  }

  receive(from: Sid, notification: Notification): void {
    this.#handler?.onNotification(from, notification);
  }

  /** Gives an opened channel its far end here; false where this transport has stopped. */
  accept(near: ChannelEnd): boolean {
    if (this.#handler === undefined) return false;
    const far = new ChannelEnd(near.to, near.from, this.#links, this.#ends);
    near.pair(far);
    far.pair(near);
    far.handler = this.#handler.onChannel(near.from, far);
    return true;
  }

  stop(): void {
    this.#handler = undefined;
    this.#links.leave(this.#sid, this);
    for (const end of [...this.#ends]) end.close();
  }
}

/** One end of a channel within the process. What is sent before the far end exists waits for it. */
class ChannelEnd implements Channel {
  readonly from: Sid;
  readonly to: Sid;
  readonly #links: Links;
  readonly #siblings: Set<ChannelEnd>;
  handler: ChannelHandler | undefined;
  #far: ChannelEnd | undefined;
  #open = true;

  constructor(from: Sid, to: Sid, links: Links, siblings: Set<ChannelEnd>) {
    this.from = from;
    this.to = to;
    this.#links = links;
    this.#siblings = siblings;
    siblings.add(this);
  }

  pair(far: ChannelEnd): void {
    this.#far = far;
  }

  send(message: Message): void {
    if (this.#open) this.#links.post(new Arrival(this, message));
  }

  /** A message of this end has come to the far one. */
  arrive(message: Message): void {
    this.#far?.receive(message);
  }

  /** There is room when everything has arrived that was sent before. */
  awaitRoom(ready: () => void): void {
    const tell = (): void => {
      if (this.#open) ready();
    };
    if (this.#open) this.#links.post({ from: this.from, to: this.to, run: tell });
  }

  close(): void {
    if (!this.#open) return;
    this.#end();
    this.#links.post({ from: this.from, to: this.to, run: () => this.#far?.closed() });
  }

  /** The other end has closed, or was never reached. */
  closed(): void {
    if (!this.#open) return;
    this.#end();
    this.handler?.onClose();
  }

  receive(message: Message): void {
    if (this.#open) this.handler?.onMessage(message);
  }

  #end(): void {
    this.#open = false;
    this.#siblings.delete(this);
  }
}
