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
    same: sameData,
  };
}

export function sameData(a: { readonly stat: Stat } | undefined, b: { readonly stat: Stat } | undefined): boolean {
  return a?.stat.czxid === b?.stat.czxid && a?.stat.mzxid === b?.stat.mzxid;
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

/** Ends when the session ends, and throws the signal's reason when that is aborted. Its `return` ends it at once. What is wrong with the arguments is told by the call. */
export function follow<T>(client: Client, path: string, followed: Followed<T>, options: CallOptions | undefined): AsyncGenerator<T> {
  checkPath(path);
  const signal = signalOf(options);
  const left = new AbortController();
  const loop = following(client, followed, signal, left);
  // A generator that waits is left only when it goes on.
  const leave = loop.return.bind(loop);
  loop.return = (value) => {
    left.abort(LEFT);
    return leave(value);
  };
  return loop;
}

/** What a loop is told that is left. */
const LEFT = Symbol('left');

async function* following<T>(
  client: Client,
  { read, same }: Followed<T>,
  signal: AbortSignal | undefined,
  left: AbortController,
): AsyncGenerator<T> {
  const change = new Change(left.signal);
  const stop = client.onState((state) => {
    if (isFinal(state)) change.end();
  });
  const abort = (): void => left.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  try {
    let last: { readonly value: T } | undefined;
    while (!isFinal(client.state)) {
      const value = await read(change.watch(), { signal: left.signal, retry: WHILE_IT_LIVES });
      if (last === undefined || !same(last.value, value)) {
        yield value;
        last = { value };
      }
      await change.happened();
    }
  } catch (error) {
    if (error !== LEFT && !isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
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
  #changed = false;
  readonly #left: AbortSignal;

  constructor(left: AbortSignal) {
    this.#left = left;
    left.addEventListener('abort', () => this.#wake?.());
  }

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

  async happened(): Promise<void> {
    while (!this.#changed && !this.#ended && !this.#left.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#left.throwIfAborted();
  }
}
