/**
 * What the clients of a run, taken together, believe to be in the tree: enough for most requests to make sense, and wrong often enough, for answers get lost,
 * sessions end and others are quicker.
 */

import type { Random } from '@quorate/ports';
import { ErrorCode, OpCode, type ReplyMessage, type Request } from '@quorate/protocol';
import { pick } from '../world/random-streams.js';

/** Paths that are remembered; the oldest goes first. */
const PATHS_MAX = 40;

export class TreeSketch {
  readonly #paths = new Set<string>();

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** One of the paths that fit; undefined where there is none. */
  pick(random: Random, fits: (path: string) => boolean): string | undefined {
    const paths = [...this.#paths].filter(fits);
    return paths.length === 0 ? undefined : pick(random, paths);
  }

  isLeaf(path: string): boolean {
    for (const other of this.#paths) if (other.startsWith(`${path}/`)) return false;
    return true;
  }

  /** An answer says what was there when it was given. */
  heard(request: Request, { err, response }: ReplyMessage): void {
    if (response?.type === OpCode.multi) {
      for (const result of response.results) if ('path' in result) this.#add(result.path);
    } else if (request.type === OpCode.delete) {
      if (err === ErrorCode.OK || err === ErrorCode.NO_NODE) this.#paths.delete(request.path);
    } else if (response !== undefined && 'path' in response) {
      if (request.type !== OpCode.sync) this.#add(response.path);
    } else if ('path' in request) {
      if (err === ErrorCode.NO_NODE) this.#paths.delete(request.path);
      else if (err === ErrorCode.NODE_EXISTS) this.#add(request.path);
    }
  }

  #add(path: string): void {
    if (path.startsWith('/zookeeper')) return;
    if (!this.#paths.has(path) && this.#paths.size === PATHS_MAX) {
      const [oldest] = this.#paths;
      this.#paths.delete(oldest as string);
    }
    this.#paths.add(path);
  }
}
