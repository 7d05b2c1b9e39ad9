/**
 * Servers over a transport of your own: here each pair of peers speaks over a `MessageChannel`, by structured clone. Whatever carries plain data in
 * order will do: a WebSocket, a worker's port, a message bus.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Channel, ChannelHandler, Message, Notification, Sid, Transport, TransportHandler } from '@quorate/zab';
import { Ensemble } from 'quorate';

/** What travels through the port that joins two servers. */
type Packet =
  | { readonly kind: 'notification'; readonly notification: Notification }
  | { readonly kind: 'open' | 'close'; readonly id: string }
  | { readonly kind: 'message'; readonly id: string; readonly message: Message };

/** The ports of one server to its peers, as a switchboard hands them out. */
class PortTransport implements Transport {
  readonly #sid: Sid;
  readonly #ports: ReadonlyMap<Sid, MessagePort>;
  readonly #open = new Map<string, ChannelHandler>();
  #opened = 0;

  constructor(sid: Sid, ports: ReadonlyMap<Sid, MessagePort>) {
    this.#sid = sid;
    this.#ports = ports;
  }

  start(handler: TransportHandler): void {
    for (const [from, port] of this.#ports) {
      port.on('message', (packet: Packet) => this.#receive(from, packet, handler));
    }
  }

  notify(to: Sid, notification: Notification): void {
    this.#post(to, { kind: 'notification', notification });
  }

  open(to: Sid, handler: ChannelHandler): Channel {
    const id = `${this.#sid}-${++this.#opened}`;
    this.#open.set(id, handler);
    this.#post(to, { kind: 'open', id });
    return this.#channel(to, id);
  }

  stop(): void {
    for (const port of this.#ports.values()) port.close();
    this.#open.clear();
  }

  #receive(from: Sid, packet: Packet, handler: TransportHandler): void {
    if (packet.kind === 'notification') {
      handler.onNotification(from, packet.notification);
    } else if (packet.kind === 'open') {
      this.#open.set(packet.id, handler.onChannel(from, this.#channel(from, packet.id)));
    } else if (packet.kind === 'message') {
      this.#open.get(packet.id)?.onMessage(packet.message);
    } else {
      const closed = this.#open.get(packet.id);
      this.#open.delete(packet.id);
      closed?.onClose();
    }
  }

  #channel(to: Sid, id: string): Channel {
    return {
      send: (message) => this.#open.has(id) && this.#post(to, { kind: 'message', id, message }),
      // A port takes whatever it is given, and does not tell how much of it has arrived.
      awaitRoom: (ready) => queueMicrotask(ready),
      close: () => {
        if (this.#open.delete(id)) this.#post(to, { kind: 'close', id });
      },
    };
  }

  #post(to: Sid, packet: Packet): void {
    this.#ports.get(to)?.postMessage(packet);
  }
}

const sids = [1, 2, 3];
const ports = new Map<Sid, Map<Sid, MessagePort>>(sids.map((sid) => [sid, new Map()]));
for (const a of sids) {
  for (const b of sids) {
    if (a >= b) continue;
    const { port1, port2 } = new MessageChannel();
    ports.get(a)?.set(b, port1);
    ports.get(b)?.set(a, port2);
  }
}

const ensemble = await Ensemble.start({ servers: sids.length, transport: (sid) => new PortTransport(sid, ports.get(sid) ?? new Map()) });
const client = await ensemble.connect({ server: 1 });
await client.create('/through-message-ports', 'hello');
const other = await ensemble.connect({ server: 2 });
await other.sync('/');
const { data } = await other.getData('/through-message-ports');
console.log(`leader ${ensemble.leader}; written through server 1, read through server 2: ${new TextDecoder().decode(data)}`);
await ensemble.close();
