import type { Socket } from 'node:net';

/**
 * Writes frames to a socket, all of one turn of the event loop at once: a system call costs as much as encoding many small frames.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #onWritten: (() => void) | undefined;
  readonly #schedule: (flush: () => void) => void;
  #frames: Uint8Array[] = [];
  #bytes = 0;

  /**
   * @param onWritten called whenever the operating system has taken what was written in a turn.
   * @param schedule calls what it is given at the end of the turn. That is nextTick when absent, which runs when the turn and all that it has set off are
   * done, and before the loop waits for anything.
   */
  constructor(socket: Socket, onWritten?: () => void, schedule: (flush: () => void) => void = process.nextTick) {
    this.#socket = socket;
    this.#onWritten = onWritten;
    this.#schedule = schedule;
  }

  /** Bytes that the peer has not been given yet. */
  get waitingBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  write(frame: Uint8Array): void {
    if (this.#frames.length === 0) this.#schedule(this.flush);
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  /** Writes what there is now. */
  readonly flush = (): void => {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#bytes = 0;
    if (this.#socket.writable) this.#socket.write(frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames), this.#onWritten);
  };
}
