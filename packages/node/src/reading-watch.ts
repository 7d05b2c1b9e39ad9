/**
 * Whether a client reads what waits for it: one that has read nothing for a while is given up.
 *
 * What it sends says nothing about that: a client that sends its pings and does not read is one that the server does not read either. So it is not the socket's own time-out.
 */
import type { Socket } from 'node:net';

export class ReadingWatch {
  readonly #socket: Socket;
  readonly #giveUp: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, giveUp: () => void) {
    this.#socket = socket;
    this.#giveUp = giveUp;
  }

  /** Something waits: `giveUp` is called after once or twice this time without a byte that was taken. */
  begin(forMs: number): void {
    const before = takenOf(this.#socket);
    this.#timer = setTimeout(() => {
      const now = takenOf(this.#socket);
      if (now.whole === before.whole && now.left === before.left) this.#giveUp();
      else this.begin(forMs);
    }, forMs);
  }

  /** Nothing waits any more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}

/** What the system has taken: the bytes of the writes that are done, and how much is left of the one that is under way. */
function takenOf(socket: Socket): { readonly whole: number; readonly left: number } {
  // Node does not tell the latter otherwise. Where it is not there, a write counts as a whole.
  const { _handle: handle } = socket as { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return { whole: socket.bytesWritten - socket.writableLength, left: handle?.writeQueueSize ?? 0 };
}
