/** How long a call may wait: until its caller's signal aborts, or a time has passed. */
import type { CallOptions, Client } from '@quorate/client';
import { allowManyListeners } from '@quorate/ports';
import { RecipeError } from './recipe-error.js';

/** What calls that wait take. */
export interface WaitOptions extends CallOptions {
  /** How long the wait may last, in milliseconds; for ever when absent. After that the call rejects with RecipeError TIMEOUT and takes back what it has begun. */
  readonly timeoutMs?: number | undefined;
}

/** What is given to a call that waits; `within` to that of a lock. */
const WAIT_OPTIONS: readonly string[] = ['signal', 'timeoutMs', 'within', 'retry', 'idempotent'];

/**
 * What other libraries take in place of options, a number of milliseconds or a signal, and what is misspelt, would make a call wait for ever.
 *
 * @throws TypeError
 */
function checkWaitOptions(options: WaitOptions): void {
  if (typeof options !== 'object' || options === null || 'aborted' in options)
    throw new TypeError(
      `options must be an object like { timeoutMs: 1_000, signal }, not ${typeof options === 'object' ? 'that' : String(options)}`,
    );
  const other = Object.keys(options).find((name) => !WAIT_OPTIONS.includes(name));
  if (other !== undefined) throw new TypeError(`${other} is not an option of a call that waits: these are ${WAIT_OPTIONS.join(', ')}`);
  if (options.timeoutMs !== undefined) checkMs('timeoutMs', options.timeoutMs);
}

/**
 * Runs a task whose signal aborts when the caller's does, or when the time is over.
 *
 * @param what what is waited for, as the message of TIMEOUT tells it.
 */
export async function beforeDeadline<T>(
  client: Client,
  what: string,
  options: WaitOptions | undefined,
  task: (options: CallOptions) => Promise<T>,
): Promise<T> {
  if (options !== undefined) checkWaitOptions(options);
  const { signal, timeoutMs } = options ?? {};
  signal?.throwIfAborted();
  if (timeoutMs === undefined) return task({ signal });
  const controller = new AbortController();
  const unfollow = follow(controller, signal);
  const timer = client.clock.setTimer(timeoutMs, () =>
    controller.abort(new RecipeError('TIMEOUT', `${what}: ${timeoutMs} ms have passed`)),
  );
  try {
    return await task({ signal: controller.signal });
  } finally {
    timer.cancel();
    unfollow();
  }
}

/** Lets a controller abort as soon as a signal does, with its reason, until the function that is returned is called. */
export function follow(controller: AbortController, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  const abort = (): void => controller.abort(signal.reason);
  allowManyListeners(signal);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

/** Resolves as soon as one of the signals has aborted. */
export function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    for (const signal of signals) signal.addEventListener('abort', end);
    if (signals.some((signal) => signal.aborted)) end();
  });
}

/** @throws TypeError where the value is no length of time. */
export function checkMs(name: string, value: number): void {
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return;
  throw new TypeError(`${name} must be a number of milliseconds, 0 or more, not ${String(value)}`);
}
