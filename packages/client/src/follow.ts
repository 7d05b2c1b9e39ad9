/**
 * What a znode has, again and again: one-shot watches as an async iterable.
 *
 * It is read when the loop asks and something has changed since, so that a loop which lags is given the newest and nothing in between: there is nothing to overflow.
 * What is the same as before is not given again.
 */
import { isZooKeeperError, type Stat } from '@quorate/protocol';
import { type CallOptions, checkPath, signalOf } from './arguments.js';
import type { Client } from './client.js';
import { isFinal } from './client-state.js';
import type { Watcher } from './watch-registry.js';

/** Reads are repeated for as long as the session lives: their outcome is all that the loop waits for. */
export const WHILE_IT_LIVES = { attemptsMax: Number.MAX_SAFE_INTEGER, totalMs: Number.MAX_SAFE_INTEGER } as const;

/** What to follow: how it is read, undefined where there is no znode, and what is the same. */
export interface Followed<T> {
  read(watch: Watcher, options: CallOptions): Promise<T>;
  same(a: T, b: T): boolean;
}

export function followedData(client: Client, path: string): Followed<{ data: Uint8Array; stat: Stat } | undefined> {
  return {
    read: (watch, options) => whereThereIs(client, path, watch, options, () => client.getData(path, { ...options, watch })),
    same: (a, b) => a?.stat.czxid === b?.stat.czxid && a?.stat.mzxid === b?.stat.mzxid,
  };
}

export function followedChildren(client: Client, path: string): Followed<{ children: string[]; stat: Stat } | undefined> {
  return {
    read: (watch, options) => whereThereIs(client, path, watch, options, () => client.getChildren(path, { ...options, watch })),
    same: (a, b) => a?.stat.czxid === b?.stat.czxid && a?.stat.pzxid === b?.stat.pzxid,
  };
}

export function followedStat(client: Client, path: string): Followed<Stat | undefined> {
  return {
    read: (watch, options) => client.exists(path, { ...options, watch }),
    same: (a, b) => a?.czxid === b?.czxid && a?.mzxid === b?.mzxid,
  };
}

/** Ends when the session ends, and throws the signal's reason when that is aborted. What is wrong with the arguments is told at once. */
export function follow<T>(client: Client, path: string, followed: Followed<T>, options: CallOptions | undefined): AsyncGenerator<T> {
  checkPath(path);
  return following(client, followed, signalOf(options));
}

async function* following<T>(client: Client, { read, same }: Followed<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  const change = new Change();
  const stop = client.onState((state) => {
    if (isFinal(state)) change.end();
  });
  const abort = (): void => change.fail(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    let last: { readonly value: T } | undefined;
    while (!isFinal(client.state)) {
      const value = await read(change.watch(), { signal, retry: WHILE_IT_LIVES });
      if (last === undefined || !same(last.value, value)) {
        yield value;
        last = { value };
      }
      await change.happened();
    }
  } catch (error) {
    if (!isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
  } finally {
    stop();
    signal?.removeEventListener('abort', abort);
  }
}

/** A read of a znode, or the wait for one. */
async function whereThereIs<T>(
  client: Client,
  path: string,
  watch: Watcher,
  options: CallOptions,
  read: () => Promise<T>,
): Promise<T | undefined> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      if ((await client.exists(path, { ...options, watch })) === undefined) return undefined;
    }
  }
}

/** Whether what was read last has changed. */
class Change {
  #wake: (() => void) | undefined;
  #watch: Watcher | undefined;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;
  #changed = false;

  /** For the next read; what was left with an earlier one says nothing of it. */
  watch(): Watcher {
    this.#changed = false;
    const watch = (): void => {
      if (this.#watch !== watch) return;
      this.#changed = true;
      this.#wake?.();
    };
    this.#watch = watch;
    return watch;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(reason: unknown): void {
    this.#failure = { reason };
    this.#wake?.();
  }

  async happened(): Promise<void> {
    while (!this.#changed && !this.#ended && this.#failure === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure !== undefined) throw this.#failure.reason;
  }
}
