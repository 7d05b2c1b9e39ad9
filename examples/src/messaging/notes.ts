/**
 * What the owner of a partition notes of its progress, and when: behind the work, many messages at a time, or before a try where that is called for: the first of an owner, every one after a failure, and
 * those of many messages where the owner before has ended without a word. A try is noted when its message is there and right before it begins, so that nothing else counts as one.
 */
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

/** How many messages are noted one by one where an owner has ended without a word; else it is the first alone. */
const CAREFUL_MESSAGES = 100;

export class Notes {
  readonly #client: Client;
  readonly #own: OwnProgress;
  readonly #events: NoteEvents;
  /** The last message that was handled. */
  #position: number;
  /** Tries of the next one that have failed, or have ended with their owner. */
  #failed: number;
  /** How often the next one was begun, as the znode is to say. */
  #begun: number;
  /** How many messages are still noted one by one. */
  #careful: number;
  #timer: Timer | undefined;
  /** Settles when everything so far is written. After one that fails nothing more is. */
  #written: Promise<void> = Promise.resolve();

  constructor(client: Client, own: OwnProgress, { position, begun }: Progress, events: NoteEvents) {
    this.#client = client;
    this.#own = own;
    this.#events = events;
    this.#position = position;
    this.#failed = begun;
    this.#begun = begun;
    this.#careful = begun > 0 ? CAREFUL_MESSAGES : 1;
  }

  /** The number of the try that comes next. */
  get attempt(): number {
    return this.#failed + 1;
  }

  /** Resolves when the next try may begin: at once, or when that is noted. @throws as `OwnProgress.save`, also where an earlier note has failed. */
  async begin(): Promise<void> {
    if (this.#failed === 0 && this.#careful === 0) return;
    this.#begun = this.attempt;
    await this.#write();
  }

  /** A try has failed. Resolves when it is noted. @throws as `begin`. */
  async failed(): Promise<void> {
    this.#failed++;
    this.#begun = this.#failed;
    await this.#write();
  }

  /** A message is handled, or put away. It is noted soon. */
  handled(position: number): void {
    this.#position = position;
    this.#failed = 0;
    this.#begun = 0;
    if (this.#careful > 0) this.#careful--;
    this.#timer ??= this.#client.clock.setTimer(NOTE_MS, () => {
      this.#timer = undefined;
      this.#write().catch(this.#events.onFailed);
    });
  }

  /** Notes what is not noted yet; a try that was cut short does not count. Nothing where the session may have ended: the next owner has begun then. */
  async end(): Promise<void> {
    this.#timer?.cancel();
    this.#begun = this.#failed;
    await this.#write().catch(() => {});
  }

  #write(): Promise<void> {
    const options: CallOptions = { signal: this.#client.leaseSignal };
    this.#written = this.#written.then(async () => {
      const position = this.#position;
      await this.#own.save({ position, begun: this.#begun }, options);
      await this.#events.onNoted?.(position);
    });
    return this.#written;
  }
}
