/** A value that several clients read, follow and change. */
import type { CallOptions, Client, StandardSchema } from '@quorate/client';
import { Cell, type Content } from './cell.js';
import type { ZnodeOptions } from './parents.js';
import { decodeValue, encodeValue } from './schema.js';

/** How a shared value is made. */
export interface SharedValueOptions<T> extends ZnodeOptions {
  /** What the value must be, checked whenever it is written or read; anything that has a form in JSON when absent. */
  readonly schema?: StandardSchema<unknown, T> | undefined;
}

/** A value and which one it is. */
export interface VersionedValue<T> {
  readonly value: T;
  /** Counts the changes, from 1. */
  readonly version: number;
}

/**
 * A value, kept as JSON in one znode. A change is made once, also where connections are lost; only where the session ends during a change is it unknown whether it was made.
 *
 * @example
 * await using limits = new SharedValue(client, '/limits', { schema: z.object({ perSecond: z.number() }) });
 * await limits.update((now) => ({ perSecond: (now?.perSecond ?? 50) * 2 }));
 * for await (const { value } of limits.follow()) apply(value);
 */
export class SharedValue<T> implements AsyncDisposable {
  readonly #cell: Cell;
  readonly #schema: StandardSchema<unknown, T> | undefined;

  /** @param path of the znode, which is made by the first change. @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, { acl, schema }: SharedValueOptions<T> = {}) {
    this.#cell = new Cell(client, path, { acl });
    this.#schema = schema;
  }

  get path(): string {
    return this.#cell.path;
  }

  /**
   * The value, with all changes that were made before the call; undefined where there is none yet.
   *
   * @throws RecipeError INVALID_DATA.
   */
  async get(options?: CallOptions): Promise<VersionedValue<T> | undefined> {
    return this.#parse(await this.#cell.read(options));
  }

  /**
   * Replaces the value, whatever it is.
   *
   * @returns the version.
   * @throws RecipeError INVALID_DATA, the signal's reason: nothing was done. ZooKeeperError SESSION_EXPIRED, RecipeError LOST: the outcome is unknown.
   */
  async set(value: T, options?: CallOptions): Promise<number> {
    const data = await encodeValue(this.path, value, this.#schema);
    return this.#cell.update(() => ({ data }), options);
  }

  /**
   * Replaces the value if it has a version, 0 for none; whether it had.
   *
   * @throws as `set`.
   */
  async compareAndSet(version: number, value: T, options?: CallOptions): Promise<boolean> {
    const data = await encodeValue(this.path, value, this.#schema);
    let matches = false;
    await this.#cell.update((content) => {
      matches = content.version === version;
      return matches ? { data } : undefined;
    }, options);
    return matches;
  }

  /**
   * Replaces the value by what a function makes of it, which is called again whenever somebody else was faster.
   *
   * @throws what the function throws: nothing was done; as `set`.
   */
  async update(change: (value: T | undefined) => T | Promise<T>, options?: CallOptions): Promise<VersionedValue<T>> {
    let value!: T;
    const version = await this.#cell.update(async (content) => {
      value = await change((await this.#parse(content))?.value);
      return { data: await encodeValue(this.path, value, this.#schema) };
    }, options);
    return { value, version };
  }

  /**
   * The value, if there is one, and again after each change of it, in their order. A loop that lags gets the newest and nothing in between.
   *
   * @throws RecipeError INVALID_DATA, the signal's reason, ZooKeeperError SESSION_EXPIRED.
   */
  async *follow(options?: CallOptions): AsyncGenerator<VersionedValue<T>, void, undefined> {
    for await (const content of this.#cell.follow(options)) {
      const versioned = await this.#parse(content);
      if (versioned !== undefined) yield versioned;
    }
  }

  /** Removes what this object has left besides the value. The next change makes it again. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#cell.dispose();
  }

  async #parse({ data, version }: Content): Promise<VersionedValue<T> | undefined> {
    if (data.length === 0) return undefined;
    return { value: await decodeValue(this.path, data, this.#schema), version };
  }
}
