/** What is safe to repeat is repeated until its outcome is known. */
import type { CallOptions, Client } from '@quorate/client';
import { type Clock, type Random, randomBelow } from '@quorate/ports';
import { isZooKeeperError } from '@quorate/protocol';

/** The longest first pause between two attempts, in milliseconds; each further one may be twice as long. */
const PAUSE_MS = 20;

/** The longest pause of all, in milliseconds. */
const PAUSE_MS_MAX = 2_000;

/**
 * Makes a call, a read or a write that may be performed twice, again and again over lost connections and busy servers, after a pause that grows
 * and is drawn by chance, so that a thousand clients do not come back at once.
 *
 * @throws what the call rejects with otherwise, SESSION_EXPIRED and AUTH_FAILED where the client has ended among it; the signal's reason.
 */
export async function persevere<T>(client: Client, call: () => Promise<T>, options?: CallOptions): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
    await pause(client.clock, backOffMs(client.random, attempt), options);
  }
}

/** Resolves after that time, by the clock of the client. @throws the signal's reason. */
export function pause(clock: Clock, ms: number, options?: CallOptions): Promise<void> {
  const signal = options?.signal;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** The call may have been performed or not; the next one has a chance. */
function isPassing(error: unknown): boolean {
  return isZooKeeperError(error, 'CONNECTION_LOSS') || isZooKeeperError(error, 'THROTTLED_OP');
}

/** How long to wait before another attempt, in milliseconds. */
export function backOffMs(random: Random, attempt: number): number {
  return randomBelow(random, 1 + Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** Math.min(attempt, 16)));
}
