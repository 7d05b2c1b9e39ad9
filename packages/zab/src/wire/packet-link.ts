/** One end of a learner channel in ZooKeeper's bytes: packets in their order, up to the first fault. A fault closes it and is reported once. */
import { isProtocolError, type JuteWriter, NO_ZXID, ProtocolError } from '@quorate/protocol';
import type { Sid } from '../config.js';
import type { Message } from '../messages.js';
import { ByteQueue } from './byte-queue.js';
import type { ByteChannel, ByteChannelHandler } from './byte-transport.js';
import { cutRun, RUN_BYTES_MAX } from './framed-channel.js';
import { decodeMessage, encodeMessage } from './message-codec.js';
import type { WireFault, WireViolation } from './violation.js';
import { NO_IDS, PacketType, type QuorumPacket, takePacket, writePacket } from './zookeeper-packet.js';

/** The end that a link serves. Nothing is called after the link has closed, but `onClose`, where it was not this end that closed it. */
export interface PacketHandler {
  onPacket(packet: QuorumPacket): void;
  /** What has come is no packet but something else: takes it out of the queue. False where it is a packet again. */
  takeOther?(queue: ByteQueue): boolean;
  /** All that has come is taken, and no more is there for now. */
  onTaken?(): void;
  onClose(): void;
}

/** What all links of a server share. */
export interface PacketContext {
  readonly writer: JuteWriter;
  /** Links that are not closed. */
  readonly links: Set<PacketLink>;
  onViolation(violation: WireViolation): void;
}

export class PacketLink implements ByteChannelHandler {
  readonly #context: PacketContext;
  readonly #queue = new ByteQueue();
  readonly #handler: PacketHandler;
  #stream: ByteChannel | undefined;
  #closed = false;
  /** The server at the other end; undefined where an accepted one has not said it. */
  peer: Sid | undefined;

  constructor(context: PacketContext, handler: PacketHandler, peer: Sid | undefined) {
    this.#context = context;
    this.#handler = handler;
    this.peer = peer;
    context.links.add(this);
  }

  /** Sets the stream under it, which is open. */
  carry(stream: ByteChannel): void {
    this.#stream = stream;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** @throws RangeError where the data are larger than `PACKET_DATA_BYTES_MAX`. */
  send(packet: QuorumPacket): void {
    if (this.#closed) return;
    const { writer } = this.#context;
    writer.clear();
    writePacket(writer, packet);
    this.#stream?.send(writer.finish());
  }

  /** Sends a message to one of ours, a large run in parts. @throws RangeError where one payload of it is too large. */
  sendMessage(message: Message): void {
    if (message.type !== 'PROPOSAL' && message.type !== 'INFORM') return this.#sendOne(message);
    for (const run of cutRun(message.run, RUN_BYTES_MAX)) this.#sendOne({ type: message.type, run });
  }

  awaitRoom(ready: () => void): void {
    if (this.#closed) return;
    this.#stream?.awaitRoom(() => {
      if (!this.#closed) ready();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#end();
    this.#stream?.close();
  }

  /** Closes it, and tells the owner: nobody answers. */
  giveUp(): void {
    if (this.#closed) return;
    this.close();
    this.#handler.onClose();
  }

  /** Forgets it, with no word to anybody: all streams are closed. */
  abandon(): void {
    if (!this.#closed) this.#end();
  }

  /** Something on it is not as it must be: closes it, and tells everybody. */
  fail(fault: WireFault): void {
    if (this.#closed) return;
    this.#context.onViolation({ ...fault, peer: this.peer, purpose: 'LEARNER' });
    this.giveUp();
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#queue.push(bytes);
    try {
      while (!this.#closed && this.#takeNext());
      if (!this.#closed) this.#handler.onTaken?.();
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      const rule = error.code === 'FRAME_TOO_LONG' ? 'FRAME_TOO_LARGE' : 'BAD_MESSAGE';
      this.fail({ rule, message: error.message });
    }
  }

  onClose(): void {
    if (this.#closed) return;
    this.#end();
    this.#handler.onClose();
  }

  /** False where more has to come first. */
  #takeNext(): boolean {
    if (this.#handler.takeOther?.(this.#queue) === true) return this.#queue.length > 0;
    const packet = takePacket(this.#queue);
    if (packet !== undefined) this.#handler.onPacket(packet);
    return packet !== undefined;
  }

  #sendOne(message: Message): void {
    if (this.#closed) return;
    this.send({ type: PacketType.QUORATE, zxid: NO_ZXID, data: encodeMessage(message, this.#context.writer), authinfo: NO_IDS });
  }

  #end(): void {
    this.#closed = true;
    this.#queue.clear();
    this.#context.links.delete(this);
  }
}

/** The message that one of ours has sent. @throws ProtocolError where the packet is none. */
export function messageOf({ type, data }: QuorumPacket): Message {
  if (type !== PacketType.QUORATE || data === null)
    throw new ProtocolError('BAD_VALUE', `a packet of the type ${type} has come between two of ours`);
  return decodeMessage(data);
}
