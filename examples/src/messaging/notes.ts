/** What the owner of a partition notes of its progress, and when: behind the work, many messages at a time, or before each message where that is called for. */
import type { CallOptions, Client, Timer } from 'quorate';
import type { OwnProgress, Progress } from './progress.ts';

/** The longest that a message is handled and not noted, in milliseconds: so much is handled again when a consumer dies. */
const NOTE_MS = 50;

export interface NoteEvents {
  /** What is written is noted once this resolves. */
  readonly onNoted?: ((position: number) => Promise<void>) | undefined;
  /** A note behind the work could not be written. */
  readonly onFailed: (error: unknown) => void;
}

export class Notes {
  readonly #client: Client;
  readonly #own: OwnProgress;
  readonly #events: NoteEvents;
  /** The last message that was handled. */
  #position: number;
  /** Tries of the next one that have failed. */
  #failed: number;
  #timer: Timer | undefined;
  /** Settles when everything so far is written. After one that fails nothing more is. */
  #written: Promise<void> = Promise.resolve();

  constructor(client: Client, own: OwnProgress, { position, begun }: Progress, events: NoteEvents) {
    this.#client = client;
    this.#own = own;
    this.#events = events;
    this.#position = position;
    this.#failed = begun - 1;
  }

  /** The number of the try that comes next. */
  get attempt(): number {
    return this.#failed + 1;
  }

  /** A message is handled. It is noted soon. */
  handled(position: number): void {
    this.#position = position;
    this.#failed = 0;
    this.#timer ??= this.#client.clock.setTimer(NOTE_MS, () => {
      this.#timer = undefined;
      this.#write(0).catch(this.#events.onFailed);
    });
  }

  /** A try of the next message has failed. */
  failed(): void {
    this.#failed++;
  }

  /** Resolves when it is noted that the next message is begun. @throws as `OwnProgress.save`, also where an earlier note has failed. */
  begin(): Promise<void> {
    return this.#write(this.attempt);
  }

  /** Notes what is not noted yet. Nothing where the session may have ended: the next owner has begun then. */
  async end(): Promise<void> {
    this.#timer?.cancel();
    await this.#write(this.#failed).catch(() => {});
  }

  #write(begun: number): Promise<void> {
    const options: CallOptions = { signal: this.#client.leaseSignal };
    this.#written = this.#written.then(async () => {
      const position = this.#position;
      await this.#own.save({ position, begun }, options);
      await this.#events.onNoted?.(position);
    });
    return this.#written;
  }
}
