/** A configuration whose versions are kept, and that programs follow. */
import type { CallOptions, Client, Operation } from '@quorate/client';
import { CreateMode, isZooKeeperError, joinPath } from '@quorate/protocol';
import { Cell, type Content } from './cell.js';
import { childrenOf } from './children.js';
import { makeZnode, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { isRecipeError, RecipeError } from './recipe-error.js';
import { decodeValue, encodeValue } from './schema.js';
import type { SharedValueOptions, VersionedValue } from './shared-value.js';

/** How many versions are kept, unless the options say otherwise. */
export const VERSIONS_KEPT = 100;

/** How a configuration is made. */
export interface VersionedConfigOptions<T> extends SharedValueOptions<T> {
  /** How many versions are kept for `history`, `read` and `rollBack`, the present one among them; 100 when absent. */
  readonly versionsKept?: number | undefined;
}

/** What `publish` takes. */
export interface PublishOptions extends CallOptions {
  /** The version that must be the newest one, 0 for none; any when absent. */
  readonly after?: number | undefined;
}

/** What `follow` takes. */
export interface FollowOptions extends CallOptions {
  /** Is told of a version that the schema does not let pass, which the loop then does not get. When absent such a version ends the loop with its error. */
  readonly onInvalid?: ((error: RecipeError) => void) | undefined;
}

/** A version that is kept. */
export interface ConfigVersion {
  readonly version: number;
  /** When it was published by the wall clock of the ensemble, in milliseconds since 1970. */
  readonly publishedAtMs: number;
}

/**
 * A configuration as JSON in one znode, and its versions below it in `history`. A version is published as one txn, once; versions count up, also when one is taken up again. Nobody sees an
 * older version after a newer one.
 *
 * @example
 * const config = new VersionedConfig(client, '/config/mail', { schema });
 * await config.publish({ host: 'mail.example', retries: 3 });
 * for await (const { version, value } of config.follow()) apply(value);
 */
export class VersionedConfig<T> implements AsyncDisposable {
  readonly #client: Client;
  readonly #cell: Cell;
  readonly #history: string;
  readonly #options: ZnodeOptions;
  readonly #schema: SharedValueOptions<T>['schema'];
  readonly #versionsKept: number;

  /** @param path of the znode, which is made by the first version. @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, { acl, schema, versionsKept = VERSIONS_KEPT }: VersionedConfigOptions<T> = {}) {
    if (!Number.isInteger(versionsKept) || versionsKept < 1)
      throw new TypeError(`versionsKept must be a whole number, 1 or more, not ${String(versionsKept)}`);
    this.#client = client;
    this.#options = { acl };
    this.#cell = new Cell(client, path, this.#options);
    this.#history = joinPath(path, 'history');
    this.#schema = schema;
    this.#versionsKept = versionsKept;
  }

  get path(): string {
    return this.#cell.path;
  }

  /**
   * The newest version, with all that were published before the call; undefined where there is none yet.
   *
   * @throws RecipeError INVALID_DATA.
   */
  async get(options?: CallOptions): Promise<VersionedValue<T> | undefined> {
    return this.#parse(await this.#cell.read(options));
  }

  /**
   * Publishes a version.
   *
   * @returns the number of the new version.
   * @throws RecipeError INVALID_DATA, RecipeError CONFLICT where another version is the newest, the signal's reason: nothing was published. ZooKeeperError
   * SESSION_EXPIRED, RecipeError LOST: the outcome is unknown.
   */
  async publish(value: T, { after, ...options }: PublishOptions = {}): Promise<number> {
    const data = await encodeValue(this.path, value, this.#schema);
    return this.#publish(data, after, options);
  }

  /**
   * Publishes an earlier version again, as a new one.
   *
   * @returns the number of the new version.
   * @throws RecipeError NOT_KEPT where there is no such version any more, INVALID_DATA where the schema does not let it pass any more; as `publish`.
   */
  async rollBack(version: number, options: CallOptions = {}): Promise<number> {
    const { value } = await this.read(version, options);
    return this.publish(value, options);
  }

  /**
   * A version that is kept.
   *
   * @throws RecipeError NOT_KEPT where it is not; INVALID_DATA.
   */
  async read(version: number, options?: CallOptions): Promise<VersionedValue<T>> {
    const path = this.#pathOf(version);
    try {
      const { data } = await persevere(this.#client, () => this.#client.getData(path, options), options);
      return { value: await decodeValue(path, data, this.#schema), version };
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      throw new RecipeError('NOT_KEPT', `version ${version} of ${this.path} is not kept: history() tells which are`, { cause: error });
    }
  }

  /** The versions that are kept, the oldest first. */
  async history(options?: CallOptions): Promise<ConfigVersion[]> {
    const versions = await this.#kept(options);
    const stats = versions.map((version) => persevere(this.#client, () => this.#client.exists(this.#pathOf(version), options), options));
    return (await Promise.all(stats)).flatMap((stat, index) =>
      stat === undefined ? [] : [{ version: versions[index] as number, publishedAtMs: stat.ctime }],
    );
  }

  /**
   * The newest version, if there is one, and again whenever there is a newer one. A loop that lags gets the newest and none in between, which `read` can tell.
   *
   * @throws RecipeError INVALID_DATA unless there is `onInvalid`; the signal's reason; ZooKeeperError SESSION_EXPIRED.
   */
  async *follow({ onInvalid, ...options }: FollowOptions = {}): AsyncGenerator<VersionedValue<T>, void, undefined> {
    for await (const content of this.#cell.follow(options)) {
      const versioned = await this.#parse(content).catch((error) => {
        if (onInvalid === undefined || !isRecipeError(error, 'INVALID_DATA')) throw error;
        onInvalid(error);
        return undefined;
      });
      if (versioned !== undefined) yield versioned;
    }
  }

  /** Removes what this object has left besides the configuration. The next version makes it again. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#cell.dispose();
  }

  async #publish(data: string, after: number | undefined, options: CallOptions): Promise<number> {
    for (;;) {
      try {
        let isNext = true;
        const newest = await this.#cell.update(async ({ version }) => {
          isNext = after === undefined || after === version;
          return isNext ? { data, alongside: await this.#archive(data, version + 1, options) } : undefined;
        }, options);
        if (isNext) return newest;
        throw new RecipeError('CONFLICT', `version ${newest} of ${this.path} is the newest, not ${after}: read it and decide again`);
      } catch (error) {
        // The directory of the first version, or one that somebody else has tidied up.
        if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      }
      await makeZnode(this.#client, this.#history, CreateMode.PERSISTENT, { ...this.#options, ...options });
    }
  }

  /** Puts a version into the history, and takes out those that are too old. They are as they were at the version before, or the txn is refused. */
  async #archive(data: string, version: number, options: CallOptions): Promise<Operation[]> {
    const old = (await this.#kept(options)).filter((kept) => kept <= version - this.#versionsKept);
    return [
      { op: 'create', path: this.#pathOf(version), data, ...this.#options },
      ...old.map((kept) => ({ op: 'delete', path: this.#pathOf(kept) }) as const),
    ];
  }

  async #kept(options: CallOptions | undefined): Promise<number[]> {
    const { names } = await persevere(this.#client, () => childrenOf(this.#client, this.#history, options), options);
    return names
      .filter((name) => /^\d{10}$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  #pathOf(version: number): string {
    return joinPath(this.#history, String(version).padStart(10, '0'));
  }

  async #parse({ data, version }: Content): Promise<VersionedValue<T> | undefined> {
    if (data.length === 0) return undefined;
    return { value: await decodeValue(this.path, data, this.#schema), version };
  }
}
