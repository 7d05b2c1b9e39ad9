/** What stands between the clients of an actor and their servers: the door of its process, and what goes wrong with its connections. */
import type { Connection, ConnectionHandler, Connector } from '@quorate/client';
import type { ClientMessage, ServerMessage } from '@quorate/protocol';
import type { ActorProcess } from './actor-process.js';

/** What happens to a request, when it comes to the one that was chosen. */
export type Fate =
  /** It goes its way. */
  | 'pass'
  /** The connection ends instead of it. */
  | 'lose request'
  /** It is performed, and the connection ends instead of the answer. */
  | 'lose reply';

export interface ActorWireOptions {
  /** The way to the servers. */
  readonly inner: Connector;
  readonly process: ActorProcess;
  /** Asked for every request of a client's own. */
  readonly fateOf: () => Fate;
  /** A request or a reply was lost, and its connection with it. */
  readonly onInjury: () => void;
}

export class ActorWire implements Connector {
  readonly servers: number;
  readonly #options: ActorWireOptions;
  readonly #open = new Set<ActorConnection>();
  /** What is on its way while nothing gets through; undefined while all does. */
  #held: (() => void)[] | undefined;

  constructor(options: ActorWireOptions) {
    this.servers = options.inner.servers;
    this.#options = options;
  }

  connect(index: number, handler: ConnectionHandler): Connection {
    const connection = new ActorConnection(this.#options, handler, this.#open, (task) => this.#pass(task));
    connection.dial(index);
    return connection;
  }

  /** The network ends all connections. */
  cut(): void {
    for (const connection of [...this.#open]) connection.cut();
  }

  /** From now on nothing gets through in either direction, and nobody is told. */
  hush(): void {
    this.#held ??= [];
  }

  /** What was held up arrives, in its order. */
  unhush(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const task of held) task();
  }

  #pass(task: () => void): void {
    if (this.#held === undefined) task();
    else this.#held.push(task);
  }

  /** The process is gone, and its sockets with it. */
  vanish(): void {
    for (const connection of [...this.#open]) connection.close();
  }
}

class ActorConnection implements Connection {
  readonly #options: ActorWireOptions;
  readonly #handler: ConnectionHandler;
  readonly #open: Set<ActorConnection>;
  /** Runs a task when the network carries what it stands for. */
  readonly #pass: (task: () => void) => void;
  #inner: Connection | undefined;
  #ended = false;
  /** Of the request whose reply is to be lost. */
  #doomedXid: number | undefined;

  constructor(options: ActorWireOptions, handler: ConnectionHandler, open: Set<ActorConnection>, pass: (task: () => void) => void) {
    this.#options = options;
    this.#handler = handler;
    this.#open = open;
    this.#pass = pass;
    open.add(this);
  }

  dial(index: number): void {
    const { inner, process } = this.#options;
    const come = (task: () => void): void => this.#pass(() => process.enter(() => this.#ifOpen(task)));
    this.#pass(() => {
      this.#inner = inner.connect(index, {
        onOpen: () => come(() => this.#handler.onOpen()),
        onMessage: (message) => come(() => this.#onMessage(message)),
        onClose: (reason) => come(() => this.#lost(reason)),
      });
    });
  }

  send(message: ClientMessage): void {
    if (this.#ended) return;
    if (message.kind !== 'request' || message.xid <= 0) return this.#pass(() => this.#inner?.send(message));
    const fate = this.#options.fateOf();
    if (fate === 'lose request') return this.#injure();
    if (fate === 'lose reply') this.#doomedXid = message.xid;
    this.#pass(() => this.#inner?.send(message));
  }

  close(): void {
    this.#end();
  }

  cut(): void {
    if (this.#ended) return;
    this.#inner?.close();
    this.#options.process.enter(() => this.#ifOpen(() => this.#lost(new Error('the network has ended the connection'))));
  }

  #onMessage(message: ServerMessage): void {
    if (message.kind === 'reply' && message.xid === this.#doomedXid) return this.#injure();
    this.#handler.onMessage(message);
  }

  #injure(): void {
    this.#options.onInjury();
    // Not within the call of the client that sends.
    this.#inner?.close();
    this.#options.process.defer(() => this.#ifOpen(() => this.#lost(new Error('the connection ended at this request'))));
  }

  #lost(reason: Error | undefined): void {
    this.#end();
    this.#handler.onClose(reason);
  }

  #ifOpen(task: () => void): void {
    if (!this.#ended) task();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open.delete(this);
    this.#pass(() => this.#inner?.close());
  }
}
