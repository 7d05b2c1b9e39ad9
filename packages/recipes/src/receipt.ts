/**
 * Txns that are performed once, whatever becomes of the connection.
 *
 * A multi that is lost with its connection may have been performed or not, and to repeat it may do things twice. So each one first writes an ephemeral znode
 * of its maker, the receipt, at the version that this must have by now. It can then be repeated until it is answered: a second one finds the receipt
 * at a later version and is refused before anything else. A session that ends in between takes the receipt along, and the outcome stays unknown.
 */
import { type Client, MultiError, type Operation } from '@quorate/client';
import { CreateMode, isZooKeeperError, joinPath } from '@quorate/protocol';
import { makeZnode, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { RecipeError } from './recipe-error.js';

export class Receipt {
  readonly #client: Client;
  readonly #directory: string;
  readonly #directoryMode: CreateMode;
  readonly #options: ZnodeOptions;
  /** Undefined until it is needed. */
  #path: string | undefined;
  /** Of the receipt, while nothing is under way. */
  #version = 0;
  /** Settles when the txns so far have: the next one needs the version that they leave. */
  #last: Promise<void> = Promise.resolve();

  /** @param directory of the receipt, which is made in that mode where there is none. */
  constructor(client: Client, directory: string, directoryMode: CreateMode, options: ZnodeOptions) {
    this.#client = client;
    this.#directory = directory;
    this.#directoryMode = directoryMode;
    this.#options = options;
  }

  /**
   * Performs all operations as one txn, or none, and exactly once, after those of earlier calls. It cannot be aborted, because then nobody would know whether
   * they were performed; it ends with the session at the latest.
   *
   * @throws MultiError where an operation is refused: nothing was done. ZooKeeperError SESSION_EXPIRED and AUTH_FAILED, RecipeError LOST where somebody has
   * removed the receipt meanwhile: the outcome is unknown.
   */
  commit(operations: readonly Operation[]): Promise<void> {
    const commit = this.#last.then(() => this.#commit(operations));
    this.#last = commit.catch(() => {});
    return commit;
  }

  /** Removes the receipt once nothing is under way. The next txn makes another one. */
  async remove(): Promise<void> {
    await this.#last;
    const path = this.#path;
    this.#path = undefined;
    if (path === undefined) return;
    try {
      await persevere(this.#client, () => this.#client.delete(path));
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE') && !isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
    }
  }

  async #commit(operations: readonly Operation[]): Promise<void> {
    const path = await this.#make();
    const all: readonly Operation[] = [{ op: 'setData', path, data: '', version: this.#version }, ...operations];
    let attempts = 0;
    const attempt = (): Promise<unknown> => {
      attempts++;
      return this.#client.multi(all);
    };
    try {
      await persevere(this.#client, attempt);
      this.#version++;
    } catch (error) {
      if (!(error instanceof MultiError) || error.index !== 0) throw error;
      if (error.code === 'BAD_VERSION') {
        this.#version++;
      } else {
        this.#path = undefined;
        if (attempts === 1) return this.#commit(operations);
        const message = `somebody has removed ${path}, which would have told whether a txn was performed before the connection was lost`;
        throw new RecipeError('LOST', message, { cause: error });
      }
    }
  }

  async #make(): Promise<string> {
    for (;;) {
      try {
        this.#path ??= await this.#create();
        return this.#path;
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      }
      await makeZnode(this.#client, this.#directory, this.#directoryMode, this.#options);
    }
  }

  async #create(): Promise<string> {
    const path = joinPath(this.#directory, 'receipt');
    const options = { mode: CreateMode.EPHEMERAL, protected: true, ...this.#options };
    const created = await this.#client.create(path, undefined, options);
    this.#version = 0;
    return created.path;
  }
}
