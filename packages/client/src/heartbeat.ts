/**
 * When a connection needs a ping, and when it is given up (ZooKeeper: class `ClientCnxn.SendThread`).
 *
 * A third of the session timeout without sending calls for a ping; two thirds without hearing anything end the connection, which
 * leaves the last third to find another server before the session expires. Messages only note the time; one timer looks after both.
 */
import type { Clock, Timer } from '@quorate/ports';

export class Heartbeat {
  readonly #clock: Clock;
  readonly #onIdle: (now: number) => void;
  readonly #onSilent: () => void;
  #timeoutMs = 0;
  #sentAt = 0;
  #heardAt = 0;
  #dueAt = 0;
  #secondLook = false;
  #timer: Timer | undefined;

  /**
   * @param onIdle nothing was sent for a third of the timeout: send a ping, which counts as sent.
   * @param onSilent nothing was heard for two thirds: the connection is given up. The heartbeat has stopped by then.
   */
  constructor(clock: Clock, onIdle: (now: number) => void, onSilent: () => void) {
    this.#clock = clock;
    this.#onIdle = onIdle;
    this.#onSilent = onSilent;
  }

  start(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#sentAt = this.#heardAt = this.#clock.now();
    this.#secondLook = false;
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Returns the time. */
  sent(): number {
    this.#sentAt = this.#clock.now();
    return this.#sentAt;
  }

  heard(): void {
    this.#heardAt = this.#clock.now();
    this.#secondLook = false;
  }

  #arm(): void {
    const now = this.#clock.now();
    const silentAt = this.#secondLook ? now + this.#timeoutMs / 6 : this.#silentAt;
    this.#dueAt = Math.min(this.#idleAt, silentAt);
    this.#timer = this.#clock.setTimer(this.#dueAt - now, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    if (now >= this.#silentAt) {
      // A timer that is this late means that the process itself stood still: answers may lie unread, so they get their turn.
      const stoodStill = now - this.#dueAt >= this.#timeoutMs / 6;
      if (!stoodStill) {
        this.stop();
        this.#onSilent();
        return;
      }
      this.#secondLook = true;
    }
    if (now >= this.#idleAt) {
      this.#sentAt = now;
      this.#onIdle(now);
    }
    this.#arm();
  }

  get #idleAt(): number {
    return this.#sentAt + this.#timeoutMs / 3;
  }

  get #silentAt(): number {
    return this.#heardAt + (this.#timeoutMs * 2) / 3;
  }
}
