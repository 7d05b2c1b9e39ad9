/** Those who stand for election at a path: what latches and selectors share. */
import type { CallOptions, Client } from '@quorate/client';
import { decodeUtf8, isZooKeeperError, joinPath, validatePath } from '@quorate/protocol';
import { Line } from './line.js';
import { LineLock } from './line-lock.js';
import type { ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';

/** How somebody stands for election. */
export interface CandidateOptions extends ZnodeOptions {
  /** Who he is: what `leader` and `participants` tell. Empty when absent. */
  readonly id?: string | undefined;
}

/** The candidates at a path; the first in line leads. */
export class Electorate {
  readonly path: string;
  /** By which this one stands for election. */
  readonly seat: LineLock<'latch'>;
  readonly #client: Client;
  readonly #line: Line<'latch'>;

  constructor(client: Client, path: string, { id, acl }: CandidateOptions) {
    validatePath(path);
    this.path = path;
    this.#client = client;
    this.#line = new Line(client, path, ['latch'], { acl });
    this.seat = new LineLock({ client, line: this.#line, kind: 'latch', data: id, inTheWay: (before) => before.at(-1) });
  }

  /** The id of who leads, or is about to; undefined where nobody stands. */
  async leader(options?: CallOptions): Promise<string | undefined> {
    for (;;) {
      const [first] = await this.#line.members(options);
      if (first === undefined) return undefined;
      const id = await this.#idOf(first.name, options);
      if (id !== undefined) return id;
    }
  }

  /** The ids of all who stand, the leader first. */
  async participants(options?: CallOptions): Promise<string[]> {
    const members = await this.#line.members(options);
    const ids = await Promise.all(members.map(({ name }) => this.#idOf(name, options)));
    return ids.filter((id) => id !== undefined);
  }

  /** Undefined for one who has left. */
  async #idOf(name: string, options: CallOptions | undefined): Promise<string | undefined> {
    try {
      const { data } = await persevere(this.#client, () => this.#client.getData(joinPath(this.path, name), options), options);
      return decodeUtf8(data);
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }
}
