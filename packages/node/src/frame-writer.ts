import type { Duplex } from 'node:stream';
import { JuteWriter } from '@quorate/protocol';

export interface FrameWriterOptions {
  /** Called whenever the operating system has taken what was written in a turn. */
  readonly onWritten?: (() => void) | undefined;
  /** Called where it has not taken all of it at once, because the peer does not read. */
  readonly onUnread?: (() => void) | undefined;
  /**
   * Calls what it is given at the end of the turn. That is nextTick when absent, which runs when the turn and all that it has set off are done, and before the loop waits
   * for anything.
   */
  readonly schedule?: ((flush: () => void) => void) | undefined;
}

/**
 * Writes frames to a socket, all of one turn of the event loop at once: a system call costs as much as encoding many small frames. They are encoded
 * one behind the other into one array, because an array for each would cost as much as what is in it.
 */
export class FrameWriter {
  readonly #socket: Duplex;
  readonly #onWritten: (() => void) | undefined;
  readonly #onUnread: (() => void) | undefined;
  readonly #schedule: (flush: () => void) => void;
  readonly #frames = new JuteWriter(0);

  constructor(socket: Duplex, { onWritten, onUnread, schedule = process.nextTick }: FrameWriterOptions = {}) {
    this.#socket = socket;
    this.#onWritten = onWritten;
    this.#onUnread = onUnread;
    this.#schedule = schedule;
  }

  /** Bytes that the peer has not been given yet. */
  get waitingBytes(): number {
    return this.#frames.length + this.#socket.writableLength;
  }

  /** Where to write the next frame, as a whole and at once; it is sent at the end of the turn. */
  get frames(): JuteWriter {
    if (this.#frames.length === 0) this.#schedule(this.flush);
    return this.#frames;
  }

  /** Writes what there is now. */
  readonly flush = (): void => {
    if (this.#frames.length === 0) return;
    const bytes = this.#frames.take();
    if (!this.#socket.writable) return;
    this.#socket.write(bytes, this.#onWritten);
    if (this.#socket.writableLength > 0) this.#onUnread?.();
  };
}
