/** The data of a znode as a value that a schema describes. */

import { randomBelow } from '@quorate/ports';
import { decodeUtf8, isZooKeeperError, type Stat } from '@quorate/protocol';
import { type CallOptions, type CreateCallOptions, checkFunction, type Data, givenBytes, type VersionOptions } from './arguments.js';
import type { Client } from './client.js';
import { type Followed, follow, followedData, sameData } from './follow.js';
import type { Created } from './protected-create.js';
import type { SchemaIssue, StandardSchema } from './standard-schema.js';

/** How a value becomes data, and data a value again. What `decode` throws says that the data are none. */
export interface Codec {
  encode(value: unknown): Data;
  decode(data: Uint8Array): unknown;
}

/** JSON as UTF-8. */
export const jsonCodec: Codec = {
  encode: (value) => JSON.stringify(value),
  decode: (data) => JSON.parse(decodeUtf8(data)),
};

/** A value with the Stat of the znode that has it. */
export interface Versioned<T> {
  readonly value: T;
  readonly stat: Stat;
}

/** The data of a znode are not what the schema asks for, or what was to be written is not. Nothing was written. */
export class InvalidValueError extends Error {
  override readonly name = 'InvalidValueError';
  readonly code = 'INVALID_VALUE';
  readonly path: string;
  /** What the schema says of it; empty where the codec could not read the data or write the value, whose error is the `cause`. */
  readonly issues: readonly SchemaIssue[];

  constructor(path: string, fault: { readonly issues: readonly SchemaIssue[] } | { readonly what: string; readonly cause: unknown }) {
    const issues = 'issues' in fault ? fault.issues : [];
    const what = 'issues' in fault ? issues.map(describe).join('; ') || 'the schema refuses it' : `${fault.what}: ${String(fault.cause)}`;
    super(`${path}: ${what}`, 'cause' in fault ? { cause: fault.cause } : undefined);
    this.path = path;
    this.issues = issues;
  }
}

/** The longest pause before another attempt of `update`, in milliseconds. */
const PAUSE_MS = 50;

/**
 * A znode whose data are values of a schema: any library that keeps to Standard Schema (Zod, Valibot, ArkType …). Made by `Client.value`.
 *
 * What is stored is what the schema takes (`Input`), what is read is what it gives (`Output`); both ways it is checked, so that neither side has to trust the other.
 *
 * @example
 * const limit = client.value('/limit', z.number().int().positive());
 * await limit.create(10);
 * await limit.update((old = 0) => old + 1);
 */
export class TypedValue<Input, Output = Input> {
  readonly path: string;
  readonly #client: Client;
  readonly #schema: StandardSchema<Input, Output>;
  readonly #codec: Codec;

  /** @internal */
  constructor(client: Client, path: string, schema: StandardSchema<Input, Output>, codec: Codec) {
    if (typeof schema?.['~standard']?.validate !== 'function')
      throw new TypeError("schema must be one of Standard Schema, with a function at ['~standard'].validate");
    if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')
      throw new TypeError('codec must be { encode, decode } with two functions');
    this.path = path;
    this.#client = client;
    this.#schema = schema;
    this.#codec = codec;
  }

  /** @throws ZooKeeperError NO_NODE; InvalidValueError. */
  async get(options?: CallOptions): Promise<Versioned<Output>> {
    const { data, stat } = await this.#client.getData(this.path, options);
    return { value: await this.#read(data), stat };
  }

  /** @throws ZooKeeperError NO_NODE, BAD_VERSION; InvalidValueError. */
  async set(value: Input, options?: VersionOptions): Promise<Stat> {
    return this.#client.setData(this.path, await this.#write(value), options);
  }

  /** @throws ZooKeeperError NODE_EXISTS, NO_NODE; InvalidValueError. */
  async create(value: Input, options?: CreateCallOptions): Promise<Created> {
    return this.#client.create(this.path, await this.#write(value), options);
  }

  /**
   * Replaces the value by what `next` makes of it, and again from what is there then where somebody else was quicker; where there is no znode, `next` is given undefined and
   * one is created. `next` may be called several times.
   *
   * @returns what was written, with the Stat.
   * @throws ZooKeeperError CONNECTION_LOSS: it may have been written or not; InvalidValueError; what `next` throws.
   */
  async update(next: (value: Output | undefined) => Input | Promise<Input>, options?: CallOptions): Promise<Versioned<Input>> {
    checkFunction('next', next);
    for (;;) {
      const old = await this.#find(options);
      const value = await next(old?.value);
      try {
        if (old === undefined) return { value, stat: (await this.create(value, options)).stat };
        return { value, stat: await this.set(value, { ...options, version: old.stat.version }) };
      } catch (error) {
        const lost = old === undefined ? 'NODE_EXISTS' : 'BAD_VERSION';
        if (!isZooKeeperError(error, lost) && !(old !== undefined && isZooKeeperError(error, 'NO_NODE'))) throw error;
      }
      await this.#pause();
    }
  }

  /**
   * The value and then each newest one after a change, until the session ends; undefined while there is no znode.
   *
   * @throws InvalidValueError, which ends the loop; the signal's reason.
   */
  follow(options?: CallOptions): AsyncGenerator<Versioned<Output> | undefined> {
    const { read } = followedData(this.#client, this.path);
    const followed: Followed<Versioned<Output> | undefined> = {
      read: async (watch, how) => {
        const found = await read(watch, how);
        return found && { value: await this.#read(found.data), stat: found.stat };
      },
      same: sameData,
    };
    return follow(this.#client, this.path, followed, options);
  }

  async #find(options: CallOptions | undefined): Promise<Versioned<Output> | undefined> {
    try {
      return await this.get(options);
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }

  async #read(data: Uint8Array): Promise<Output> {
    let value: unknown;
    try {
      value = this.#codec.decode(data);
    } catch (cause) {
      throw new InvalidValueError(this.path, { what: 'the codec cannot read the data', cause });
    }
    return this.#check(value);
  }

  async #write(value: Input): Promise<Data> {
    await this.#check(value);
    try {
      return givenBytes('what it makes', this.#codec.encode(value));
    } catch (cause) {
      throw new InvalidValueError(this.path, { what: 'the codec cannot write the value', cause });
    }
  }

  async #check(value: unknown): Promise<Output> {
    const result = await this.#schema['~standard'].validate(value);
    if (typeof result !== 'object' || result === null)
      throw new TypeError(`${this.path}: the schema must answer { value } or { issues }, not ${String(result)}`);
    if (result.issues !== undefined) throw new InvalidValueError(this.path, result);
    return result.value;
  }

  #pause(): Promise<void> {
    const { clock, random } = this.#client;
    return new Promise((resolve) => clock.setTimer(randomBelow(random, PAUSE_MS), resolve));
  }
}

function describe({ message, path = [] }: SchemaIssue): string {
  const at = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return at === '' ? message : `${at}: ${message}`;
}
