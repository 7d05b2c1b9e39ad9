/**
 * Time, as a port. Nothing in a core reads the platform's clock; it is given one of these.
 *
 * Monotonic time drives every timeout; wall time is read for `ctime`, `mtime` and session ids alone and may jump.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin; may have a fraction. */
  now(): number;
  /** Milliseconds since the Unix epoch, a whole number. May jump in either direction. */
  wallNow(): number;
  /** Calls `task` once, not before `delayMs` have passed; a delay of any length is kept whole. */
  setTimer(delayMs: number, task: () => void): Timer;
  /**
   * Calls `task` after the current call stack has unwound and before any timer that is not yet due.
   * Tasks run in the order in which they were deferred. This is how a batch ends: what is sent in one turn travels together.
   */
  defer(task: () => void): void;
}

/** A pending one-shot timer. */
export interface Timer {
  /** Cancels the timer; a timer that has fired or was cancelled is left alone. */
  cancel(): void;
}
