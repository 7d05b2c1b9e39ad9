/**
 * How far a group of consumers has come in a partition, in a znode: `{ position, begun, token }`.
 *
 * Invariant: the znode is changed by the present owner of the partition alone. Each owner begins with a write, and every write names the version that the one before has left; so whoever has lost the
 * partition finds that out when it writes, however late.
 */
import { persevere, RecipeError } from '@quorate/recipes';
import { type CallOptions, type Client, isZooKeeperError } from 'quorate';

export interface Progress {
  /** The last message that was handled, and all before it; 0 for none. */
  readonly position: number;
  /** How often the next one was begun, as far as is known. */
  readonly begun: number;
}

export const NOTHING: Progress = { position: 0, begun: 0 };

/** The progress of a partition, as its owner keeps it. */
export class OwnProgress {
  readonly #client: Client;
  readonly #path: string;
  /** The owner, by the token of its hold: no other writes the same text. */
  readonly #token: number;
  #version: number;

  private constructor(client: Client, path: string, token: number, version: number) {
    this.#client = client;
    this.#path = path;
    this.#token = token;
    this.#version = version;
  }

  /**
   * Takes the progress over: from then on nobody else notes anything.
   *
   * @throws RecipeError CONFLICT where somebody else takes it over at the same time.
   */
  static async takeOver(client: Client, path: string, token: number): Promise<{ readonly progress: Progress; readonly own: OwnProgress }> {
    const { progress, version } = await read(client, path);
    const own = new OwnProgress(client, path, token, version);
    await own.save(progress);
    return { progress, own };
  }

  /** @throws RecipeError CONFLICT where somebody else has taken it over. */
  async save({ position, begun }: Progress, options?: CallOptions): Promise<void> {
    const text = JSON.stringify({ position, begun, token: this.#token });
    for (let repeated = false; ; repeated = true) {
      try {
        const { version } = await this.#client.setData(this.#path, text, { version: this.#version, ...options });
        this.#version = version;
        return;
      } catch (error) {
        if (isZooKeeperError(error, 'CONNECTION_LOSS')) {
          await this.#client.connected(options);
        } else if (isZooKeeperError(error, 'BAD_VERSION')) {
          // The attempt before may have been performed.
          if (!repeated || !(await this.#isSaved(text, options)))
            throw new RecipeError('CONFLICT', `${this.#path} has another owner by now`, { cause: error });
          return;
        } else {
          throw error;
        }
      }
    }
  }

  async #isSaved(text: string, options: CallOptions | undefined): Promise<boolean> {
    const { data, stat } = await persevere(this.#client, () => this.#client.getData(this.#path, options), options);
    if (stat.version !== this.#version + 1 || new TextDecoder().decode(data) !== text) return false;
    this.#version = stat.version;
    return true;
  }
}

/** What is noted of a partition; nothing where nobody has begun yet, whose znode is made then. */
async function read(client: Client, path: string): Promise<{ readonly progress: Progress; readonly version: number }> {
  for (;;) {
    try {
      const { data, stat } = await persevere(client, () => client.getData(path));
      const { position, begun } = JSON.parse(new TextDecoder().decode(data)) as Progress;
      return { progress: { position, begun }, version: stat.version };
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
    }
    await persevere(client, () => client.create(path, JSON.stringify(NOTHING))).catch((error: unknown) => {
      if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
    });
  }
}
