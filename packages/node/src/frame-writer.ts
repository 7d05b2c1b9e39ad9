import type { Socket } from 'node:net';
import { JuteWriter } from '@quorate/protocol';

/**
 * Writes frames to a socket, all of one turn of the event loop at once: a system call costs as much as encoding many small frames. They are encoded
 * one behind the other into one array, because an array for each would cost as much as what is in it.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #onWritten: (() => void) | undefined;
  readonly #frames = new JuteWriter(0);

  /** @param onWritten called whenever the operating system has taken what was written in a turn. */
  constructor(socket: Socket, onWritten?: () => void) {
    this.#socket = socket;
    this.#onWritten = onWritten;
  }

  /** Bytes that the peer has not been given yet. */
  get waitingBytes(): number {
    return this.#frames.length + this.#socket.writableLength;
  }

  /** Where to write the next frame, as a whole and at once; it is sent at the end of the turn. */
  get frames(): JuteWriter {
    // nextTick runs when the turn and all that it has set off are done, and before the loop waits for anything.
    if (this.#frames.length === 0) process.nextTick(this.flush);
    return this.#frames;
  }

  /** Writes what there is now. */
  readonly flush = (): void => {
    if (this.#frames.length === 0) return;
    const bytes = this.#frames.take();
    if (this.#socket.writable) this.#socket.write(bytes, this.#onWritten);
  };
}
