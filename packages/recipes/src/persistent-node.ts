/** An ephemeral znode that is there for as long as its owner wants it. */
import { type CallOptions, type Client, type Data, isFinal } from '@quorate/client';
import { CreateMode, isZooKeeperError, parentOf, validatePath } from '@quorate/protocol';
import { Background } from './background.js';
import { withParents, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { RecipeError } from './recipe-error.js';
import { Watchpost } from './watchpost.js';

/**
 * Keeps an ephemeral znode: it is made again where somebody has removed it and, given a function that connects, by another client where the session has ended (Curator: `PersistentNode`).
 *
 * Where the path is somebody else's, also an earlier session of its own that has not ended yet, it waits until that has gone.
 *
 * @example
 * await using node = new PersistentNode(({ signal }) => Client.connect({ connector, signal }), '/members/a', '10.0.0.1:80').start();
 * await node.created();
 */
export class PersistentNode implements AsyncDisposable {
  readonly path: string;
  readonly #source: Client | ((options: CallOptions) => Promise<Client>);
  readonly #options: ZnodeOptions;
  readonly #background: Background<never>;
  /** Called when the znode is there, and when it is not. */
  readonly #listeners = new Set<() => void>();
  #data: Data;
  /** Of the session that owns the znode; undefined while it is not there. */
  #owner: Client | undefined;

  /** @param source a client, with whose session the znode ends; or what gives a new one each time, which is then closed with this. @throws ZooKeeperError BAD_ARGUMENTS; TypeError. */
  constructor(source: Client | ((options: CallOptions) => Promise<Client>), path: string, data: Data = '', options: ZnodeOptions = {}) {
    validatePath(path);
    if (typeof source !== 'function' && typeof source?.create !== 'function')
      throw new TypeError('source must be a client, or a function that gives one');
    this.#source = source;
    this.path = path;
    this.#data = data;
    this.#options = options;
    this.#background = new Background((signal) => this.#run(signal), `${path} is not kept any more`);
  }

  /** Begins to keep the znode. Asked twice, it is done once. @throws RecipeError DISPOSED after `close`. */
  start(): this {
    this.#background.start();
    return this;
  }

  /** Whether it is there, as far as this knows. */
  get isThere(): boolean {
    return this.#owner !== undefined && !isFinal(this.#owner.state);
  }

  /**
   * Waits until it is there.
   *
   * @throws RecipeError DISPOSED where it is closed, or was not started; the signal's reason; ZooKeeperError SESSION_EXPIRED where the client has ended and there is no other one;
   * what a create, or the function that connects, rejects with.
   */
  created({ signal }: CallOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.isThere) return resolve();
      if (this.#background.ended === undefined) return reject(new RecipeError('DISPOSED', `${this.path} is not kept: start() first`));
      const end = (reason: unknown): void => {
        this.#listeners.delete(look);
        signal?.removeEventListener('abort', abort);
        reject(reason);
      };
      const look = (): void => {
        if (!this.isThere) return;
        resolve();
        end(undefined);
      };
      const abort = (): void => end(signal?.reason);
      this.#listeners.add(look);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
      this.#background.ended.catch(end);
    });
  }

  /** Gives it other data, now or as soon as it is there. Resolves at once where it is not there. @throws the signal's reason; ZooKeeperError. */
  async setData(data: Data, options?: CallOptions): Promise<void> {
    if (this.#background.signal.aborted) throw this.#background.signal.reason;
    this.#data = data;
    const owner = this.#owner;
    if (owner === undefined) return;
    try {
      await this.#write(owner, options);
    } catch (error) {
      // It will be made again, with these data.
      if (!isZooKeeperError(error, 'NO_NODE') && !isFinal(owner.state)) throw error;
    }
  }

  /** Removes the znode. Resolves when that is done; never rejects. */
  close(): Promise<void> {
    return this.#background.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Rejects at the end, whatever ends it. */
  async #run(signal: AbortSignal): Promise<never> {
    const source = this.#source;
    if (typeof source !== 'function') return this.#keep(source, signal);
    for (;;) {
      const client = await source({ signal });
      try {
        await this.#keep(client, signal);
      } catch (error) {
        if (signal.aborted || !isFinal(client.state)) throw error;
      } finally {
        client.close().catch(() => {});
      }
    }
  }

  /** For as long as a session lasts. */
  async #keep(client: Client, signal: AbortSignal): Promise<never> {
    const posts = new Watchpost(client);
    try {
      for (;;) {
        await this.#make(client, posts, { signal });
        this.#setOwner(client);
        await posts.gone(this.path, { signal });
        this.#setOwner(undefined);
      }
    } finally {
      this.#setOwner(undefined);
      if (signal.aborted) await this.#remove(client).catch(() => {});
    }
  }

  async #make(client: Client, posts: Watchpost, options: CallOptions): Promise<void> {
    const { acl } = this.#options;
    for (;;) {
      try {
        const data = this.#data;
        const create = (): Promise<unknown> =>
          persevere(client, () => client.create(this.path, data, { mode: CreateMode.EPHEMERAL, acl, ...options }), options);
        await withParents(client, parentOf(this.path), create, { ...this.#options, ...options });
        if (data !== this.#data) await this.#write(client, options);
        return;
      } catch (error) {
        if (isZooKeeperError(error, 'NO_NODE')) continue;
        if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
      }
      // A create whose answer was lost has made it.
      if (!(await this.#isOwn(client, options))) await posts.gone(this.path, options);
      else return this.#write(client, options).then(() => {});
    }
  }

  /** With the data of the moment, also when it has to be repeated: the last ones that were set are what stays. */
  #write(client: Client, options?: CallOptions): Promise<unknown> {
    return persevere(client, () => client.setData(this.path, this.#data, options), options);
  }

  async #isOwn(client: Client, options?: CallOptions): Promise<boolean> {
    const stat = await persevere(client, () => client.exists(this.path, options), options);
    return stat?.ephemeralOwner === client.sessionId;
  }

  async #remove(client: Client): Promise<void> {
    if (await this.#isOwn(client)) await persevere(client, () => client.delete(this.path));
  }

  #setOwner(owner: Client | undefined): void {
    this.#owner = owner;
    for (const listener of [...this.#listeners]) listener();
  }
}
