import type { Random } from '@quorate/ports';
import type { Channel, ChannelHandler, Message, Notification, Sid, Transport, TransportHandler } from '@quorate/zab';
import type { Link } from './link.js';
import { between, chance, millis } from './random-streams.js';
import type { SimNetwork } from './sim-network.js';
import type { SimProcess } from './sim-process.js';
import type { StreamEnd } from './stream.js';

/** The name of a server's host in the network. */
export function hostOf(sid: Sid): string {
  return `s${sid}`;
}

/** Finds the transport that a server has at the moment; none while it is down. */
export interface TransportDirectory {
  readonly current: Map<Sid, SimTransport>;
}

/** The port Transport over the simulated network, for one life of one server. */
export class SimTransport implements Transport {
  readonly #sid: Sid;
  readonly #network: SimNetwork;
  readonly #process: SimProcess;
  readonly #random: Random;
  readonly #directory: TransportDirectory;
  readonly #ends = new Set<StreamEnd<Message, Message>>();
  readonly #links = new Map<Sid, Link>();
  #handler: TransportHandler | undefined;

  constructor(options: {
    readonly sid: Sid;
    readonly network: SimNetwork;
    readonly process: SimProcess;
    readonly random: Random;
    readonly directory: TransportDirectory;
  }) {
    this.#sid = options.sid;
    this.#network = options.network;
    this.#process = options.process;
    this.#random = options.random;
    this.#directory = options.directory;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#directory.current.set(this.#sid, this);
    this.#network.listen<Message, Message>(`${hostOf(this.#sid)}/peer`, this.#process, (from, end) => {
      this.#ends.add(end);
      return handler.onChannel(Number(from.slice(1)), end);
    });
  }

  notify(to: Sid, notification: Notification): void {
    let link = this.#links.get(to);
    if (link === undefined) {
      link = this.#network.link(hostOf(this.#sid), hostOf(to));
      this.#links.set(to, link);
    }
    const from = this.#sid;
    this.#network.datagram(link, () => this.#directory.current.get(to)?.receive(from, notification));
  }

  open(to: Sid, handler: ChannelHandler): Channel {
    const end = this.#network.dial<Message, Message>({
      from: hostOf(this.#sid),
      process: this.#process,
      to: hostOf(to),
      service: 'peer',
      handler: { onMessage: (message) => handler.onMessage(message), onClose: () => handler.onClose() },
      onEnd: (ended) => void this.#ends.delete(ended),
    });
    this.#ends.add(end);
    return end;
  }

  receive(from: Sid, notification: Notification): void {
    this.#process.enter(() => this.#handler?.onNotification(from, notification));
  }

  /** The server is gone: its peers may not have got all that it sent, and some of them learn of its end only by its silence. */
  stop(): void {
    this.#handler = undefined;
    this.#network.unlisten(`${hostOf(this.#sid)}/peer`, this.#process);
    if (this.#directory.current.get(this.#sid) === this) this.#directory.current.delete(this.#sid);
    for (const end of this.#ends) {
      const unsent = chance(this.#random, 500) ? between(this.#random, 0, end.outgoing.length) : 0;
      const delayMs = chance(this.#random, 300) ? millis(this.#random, 0, 4000) : 0;
      end.vanish({ unsent, delayMs });
    }
    this.#ends.clear();
  }
}
