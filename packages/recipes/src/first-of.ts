/** Waiting for several things, of which one is enough. */
import type { CallOptions } from '@quorate/client';
import { follow } from './deadline.js';

/** Settles as the first task that does; the others are told to end by the signal that each is given. */
export async function firstOf<T>(options: CallOptions | undefined, tasks: readonly ((options: CallOptions) => Promise<T>)[]): Promise<T> {
  options?.signal?.throwIfAborted();
  const controller = new AbortController();
  const unfollow = follow(controller, options?.signal);
  try {
    return await Promise.race(tasks.map((task) => task({ signal: controller.signal })));
  } finally {
    unfollow();
    controller.abort();
  }
}
