/**
 * One end of a byte channel under frames: the handshake, then whole bodies in their order, up to the first fault.
 *
 * A fault closes the channel, is reported once, and is to the owner a close like any other.
 */
import type { Clock, Random, Timer } from '@quorate/ports';
import { assert } from '@quorate/protocol';
import type { Sid } from '../config.js';
import type { ByteChannel, ByteChannelHandler, ByteTransport } from './byte-transport.js';
import { checkFits, drawNonce, FRAME_BODY_BYTES_MAX, FrameReader, FrameWriter, type Nonce } from './frame.js';
import { decodeHello, encodeHello, faultOf, HELLO_BYTES_MAX } from './hello.js';
import type { ChannelPurpose, WireFault, WireViolation } from './violation.js';

/** The owner of a link. Nothing is called after `onClose`, or after the owner has closed the link. */
export interface LinkHandler {
  /** The handshake is done. Called only on the end that opened the link. */
  onOpen(): void;
  onBody(body: Uint8Array): void;
  onClose(): void;
}

/** What all links of a server share. */
export interface LinkContext {
  readonly sid: Sid;
  /** Empty where it is not known. */
  readonly ensembleId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a handshake may take. */
  readonly answerTimeoutMs: number;
  /** The links that are not closed. */
  readonly links: Set<FramedLink>;
  /** A peer has opened this link, and the handshake is done: its owner is to be given to `handle`. */
  onAccepted(link: FramedLink): void;
  onViolation(violation: WireViolation): void;
}

/** HELLO: the other end's is awaited. READY: the opener's proof that its hello is of now is. */
type Stage = 'HELLO' | 'READY' | 'OPEN' | 'CLOSED';

const EMPTY = new Uint8Array(0);

export class FramedLink implements ByteChannelHandler {
  readonly #context: LinkContext;
  readonly #isOpener: boolean;
  /** What is meant for this end bears it. */
  readonly #nonce: Nonce;
  readonly #reader = new FrameReader(HELLO_BYTES_MAX);
  readonly #writer = new FrameWriter();
  #stage: Stage = 'HELLO';
  #peer: Sid | undefined;
  #purpose: ChannelPurpose | undefined;
  #handler: LinkHandler | undefined;
  #channel: ByteChannel | undefined;
  /** What was sent and who asked for room before the handshake was done. */
  #waiting: Uint8Array[] = [];
  #waitingForRoom: (() => void)[] = [];
  readonly #timer: Timer;
  /** A link has at most one violation. */
  #reported = false;

  private constructor(context: LinkContext, asked?: { readonly peer: Sid; readonly purpose: ChannelPurpose }) {
    this.#context = context;
    this.#isOpener = asked !== undefined;
    this.#peer = asked?.peer;
    this.#purpose = asked?.purpose;
    this.#nonce = drawNonce(context.random);
    if (this.#isOpener) this.#reader.expect(this.#nonce, HELLO_BYTES_MAX);
    // Silence is no violation: a network that is cut shows nothing else.
    this.#timer = context.clock.setTimer(context.answerTimeoutMs, () => this.giveUp());
    context.links.add(this);
  }

  /** Opens a link to a peer. It can be sent on at once; nothing is called before this has returned. */
  static open(context: LinkContext, transport: ByteTransport, asked: { readonly peer: Sid; readonly purpose: ChannelPurpose }): FramedLink {
    const link = new FramedLink(context, asked);
    link.#channel = transport.open(asked.peer, link);
    link.#sendHello(asked.peer, asked.purpose);
    return link;
  }

  /** Takes a channel that a peer has opened. `LinkContext.onAccepted` is called once it is known who and what for. */
  static accept(context: LinkContext, channel: ByteChannel): FramedLink {
    const link = new FramedLink(context);
    link.#channel = channel;
    return link;
  }

  /** Sets the owner. */
  handle(handler: LinkHandler): void {
    this.#handler = handler;
  }

  /** The server at the other end. Known once the handshake is done. */
  get peer(): Sid {
    assert(this.#peer !== undefined, 'who the peer is has been said');
    return this.#peer;
  }

  get purpose(): ChannelPurpose {
    assert(this.#purpose !== undefined, 'what the link is for has been said');
    return this.#purpose;
  }

  get isClosed(): boolean {
    return this.#stage === 'CLOSED';
  }

  /** @throws RangeError where the body is larger than `FRAME_BODY_BYTES_MAX`. */
  send(body: Uint8Array): void {
    if (this.#stage === 'CLOSED') return;
    // Here, and not when the handshake is done: the error is the caller's.
    checkFits(body);
    if (this.#stage === 'OPEN') this.#channel?.send(this.#writer.frame(body));
    else this.#waiting.push(body);
  }

  /** As `Channel.awaitRoom`. There is none before the handshake is done. */
  awaitRoom(ready: () => void): void {
    if (this.#stage === 'CLOSED') return;
    if (this.#stage !== 'OPEN') this.#waitingForRoom.push(ready);
    else
      this.#channel?.awaitRoom(() => {
        if (this.#stage === 'OPEN') ready();
      });
  }

  close(): void {
    if (this.#stage === 'CLOSED') return;
    this.#end();
    this.#channel?.close();
  }

  /** Closes it, and tells the owner: nobody answers. */
  giveUp(): void {
    if (this.#stage === 'CLOSED') return;
    this.close();
    this.#handler?.onClose();
  }

  /** Forgets it, with no word to anybody: the byte transport closes all channels. */
  abandon(): void {
    if (this.#stage !== 'CLOSED') this.#end();
  }

  /** Something on it is not as it must be: closes it, and tells everybody. */
  fail(fault: WireFault): void {
    if (this.#stage === 'CLOSED') return;
    this.#report(fault);
    // Whoever was told may have stopped the server; then there is nothing left to close.
    this.giveUp();
  }

  // From the byte channel

  onBytes(bytes: Uint8Array): void {
    if (this.#stage === 'CLOSED') {
      this.#report({ rule: 'BYTES_AFTER_CLOSE', message: `${bytes.length} bytes have come after the close` });
      return;
    }
    this.#reader.push(bytes);
    for (let body = this.#reader.next(); body !== undefined; body = this.#reader.next()) {
      this.#take(body);
      if (this.isClosed) return;
    }
    if (this.#reader.fault !== undefined) this.fail(this.#reader.fault);
  }

  /** Where that is within a frame, the frame was not yet believed, and is not missed. */
  onClose(): void {
    if (this.#stage === 'CLOSED') return;
    this.#end();
    this.#handler?.onClose();
  }

  #take(body: Uint8Array): void {
    if (this.#stage === 'OPEN') this.#handler?.onBody(body);
    else if (this.#stage === 'HELLO') this.#onHello(body);
    else this.#onReady(body);
  }

  #onHello(body: Uint8Array): void {
    const hello = decodeHello(body);
    if ('rule' in hello) {
      this.fail(hello);
      return;
    }
    const { sid, ensembleId } = this.#context;
    const fault = faultOf(hello, { sid, ensembleId, peer: this.#peer, purpose: this.#purpose });
    this.#peer ??= hello.from;
    this.#purpose ??= hello.purpose;
    if (fault !== undefined) {
      this.fail(fault);
      return;
    }
    this.#writer.address(hello.nonce);
    this.#reader.expect(this.#nonce, FRAME_BODY_BYTES_MAX);
    if (!this.#isOpener) {
      this.#stage = 'READY';
      this.#sendHello(hello.from, hello.purpose);
      return;
    }
    this.#becomeOpen();
    this.#handler?.onOpen();
  }

  #onReady(body: Uint8Array): void {
    if (body.length > 0) {
      this.fail({ rule: 'BAD_HELLO', message: `${body.length} bytes have come where the handshake ends` });
      return;
    }
    this.#becomeOpen();
    this.#context.onAccepted(this);
  }

  #becomeOpen(): void {
    this.#stage = 'OPEN';
    this.#timer.cancel();
    const [waiting, waitingForRoom] = [this.#waiting, this.#waitingForRoom];
    this.#waiting = [];
    this.#waitingForRoom = [];
    if (this.#isOpener) this.send(EMPTY);
    for (const body of waiting) this.send(body);
    for (const ready of waitingForRoom) this.awaitRoom(ready);
  }

  #sendHello(to: Sid, purpose: ChannelPurpose): void {
    const { sid, ensembleId } = this.#context;
    this.#channel?.send(this.#writer.frame(encodeHello({ purpose, from: sid, to, ensembleId, nonce: this.#nonce })));
  }

  #report(fault: WireFault): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#context.onViolation({ ...fault, peer: this.#peer, purpose: this.#purpose });
  }

  #end(): void {
    this.#stage = 'CLOSED';
    this.#timer.cancel();
    this.#waiting = [];
    this.#waitingForRoom = [];
    this.#context.links.delete(this);
  }
}
