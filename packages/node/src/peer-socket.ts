/**
 * A stream to another server over TCP, TLS or WebSocket. All that is sent in one turn of the event loop goes out by one system call.
 *
 * A peer that does not read costs `PEER_OUTBOX_BYTES_MAX` at most. One that is gone without a word is found by the heartbeats of Zab, and below them, where nobody is heard
 * for longer, by those of TCP.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ByteChannel, ByteChannelHandler } from '@quorate/zab';
import { KEEP_ALIVE_MS, LINGER_MS, PEER_OUTBOX_BYTES_MAX, PEER_ROOM_BYTES } from './limits.js';

/** The socket, set to send at once, and to notice in the end that its peer is gone. */
export function tuned(socket: Socket): Socket {
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
}

export class PeerSocket implements ByteChannel {
  #socket: Duplex | undefined;
  #handler: ByteChannelHandler | undefined;
  /** Sent before there was a socket. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #corked = false;
  #waitingForRoom: (() => void)[] = [];
  /** This end has closed it, or the other has. */
  #closed = false;
  readonly #onEnd: (socket: PeerSocket) => void;

  /** @param onEnd called once, when nothing of it is left. */
  constructor(onEnd: (socket: PeerSocket) => void) {
    this.#onEnd = onEnd;
  }

  /** Sets who is told what arrives. */
  handle(handler: ByteChannelHandler): void {
    this.#handler = handler;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sets the socket, which is connected; what has been sent goes out. */
  carry(socket: Duplex): void {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (!this.#closed) this.#handler?.onBytes(chunk);
    });
    // What went wrong is no news to anybody: 'close' follows.
    socket.on('error', () => {});
    socket.once('close', () => this.#end());
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const bytes of early) this.#write(socket, bytes);
    if (this.#closed) this.#linger(socket);
    else this.#tellOfRoom();
  }

  send(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#socket !== undefined) {
      this.#write(this.#socket, bytes);
    } else {
      this.#early.push(bytes);
      this.#earlyBytes += bytes.length;
    }
    if (this.#waitingBytes > PEER_OUTBOX_BYTES_MAX) this.destroy();
  }

  awaitRoom(ready: () => void): void {
    if (this.#closed) return;
    this.#waitingForRoom.push(ready);
    process.nextTick(() => this.#tellOfRoom());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waitingForRoom = [];
    if (this.#socket !== undefined) this.#linger(this.#socket);
  }

  /** Ends it at once; the handler is told, where this end has not closed it. */
  destroy(): void {
    if (this.#socket === undefined) process.nextTick(() => this.#end());
    else this.#socket.destroy();
  }

  /** There will be no socket. */
  giveUp(): void {
    this.#end();
  }

  get #waitingBytes(): number {
    return this.#earlyBytes + (this.#socket?.writableLength ?? 0);
  }

  #write(socket: Duplex, bytes: Uint8Array): void {
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      // It runs when the turn and all that it has set off are done, and before the loop waits for anything.
      process.nextTick(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes, this.#tellOfRoom);
  }

  readonly #tellOfRoom = (): void => {
    if (this.#closed || this.#socket === undefined || this.#waitingBytes >= PEER_ROOM_BYTES) return;
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const ready of waiting) if (!this.#closed) ready();
  };

  /** What was sent still goes out; what comes is read and dropped, because a socket that is closed over unread bytes takes back what it has sent. */
  #linger(socket: Duplex): void {
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  }

  #end(): void {
    const handler = this.#handler;
    const wasClosed = this.#closed;
    this.#closed = true;
    this.#handler = undefined;
    this.#waitingForRoom = [];
    this.#onEnd(this);
    if (!wasClosed) handler?.onClose();
  }
}
