/**
 * What a watch that stays has missed between two connections, found by comparing what is there with what it was told of last.
 *
 * No read follows an event: what is known of its znode from then on is that it is there, or not. So a change may be told twice after a reconnection, and none goes untold.
 */
import { isZooKeeperError, joinPath, NO_ZXID, type Stat } from '@quorate/protocol';
import type { CallOptions } from './arguments.js';
import type { Client } from './client.js';
import { WHILE_IT_LIVES } from './follow.js';
import type { NodeEventType, WatchEvent } from './watch-registry.js';

/** How many znodes are remembered for one watch; where there are more, EVENTS_MISSED is told instead. */
export const CATCH_UP_NODES_MAX = 100_000;

/** Undefined where an event has told that there is something other than what was read. */
type Known = Pick<Stat, 'czxid' | 'mzxid' | 'pzxid'> | undefined;

export class CatchUp {
  readonly #client: Client;
  readonly #path: string;
  readonly #recursive: boolean;
  readonly #known = new Map<string, Known>();
  /** What was told of since the comparison has begun that is under way: that is newer than what it reads, or as new. */
  readonly #touched = new Set<string>();
  #comparing = false;
  /** More was missed while a comparison was under way. */
  #again = false;

  constructor(client: Client, path: string, recursive: boolean) {
    this.#client = client;
    this.#path = path;
    this.#recursive = recursive;
  }

  /** Remembers what is there: once the watch is set. @throws ZooKeeperError */
  async learn(options: CallOptions | undefined): Promise<void> {
    await this.#compare(NO_ZXID, () => {}, options);
  }

  /** An event of the watch: passes it on, or what it stands for. */
  on(event: WatchEvent, tell: (event: WatchEvent) => void): void {
    const { type, path, zxid } = event;
    if (type === 'EVENTS_MISSED') {
      this.#again = this.#comparing;
      if (this.#comparing) return;
      return void this.#compare(zxid, tell, undefined).catch((error) => {
        if (!isZooKeeperError(error, 'SESSION_EXPIRED')) tell(event);
      });
    }
    this.#touched.add(path);
    if (type === 'NODE_DELETED') this.#known.delete(path);
    else if (type === 'NODE_CREATED' || type === 'NODE_DATA_CHANGED' || type === 'NODE_CHILDREN_CHANGED') this.#known.set(path, undefined);
    tell(event);
  }

  async #compare(zxid: WatchEvent['zxid'], tell: (event: WatchEvent) => void, options: CallOptions | undefined): Promise<void> {
    this.#comparing = true;
    try {
      let found: Map<string, Stat>;
      do {
        this.#again = false;
        this.#touched.clear();
        found = new Map();
        await this.#walk(this.#path, found, { retry: WHILE_IT_LIVES, signal: options?.signal });
      } while (this.#again);
      for (const event of this.#differences(found, zxid)) tell(event);
    } finally {
      this.#comparing = false;
    }
  }

  /** Parents before their children. */
  async #walk(path: string, found: Map<string, Stat>, options: CallOptions): Promise<void> {
    const level = await this.#client.getChildren(path, options).catch((error) => {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      throw error;
    });
    if (level === undefined) return;
    if (found.size === CATCH_UP_NODES_MAX)
      throw new RangeError(
        `${this.#path}: a watch with catchUp remembers ${CATCH_UP_NODES_MAX} znodes at most: do without, and read again at EVENTS_MISSED`,
      );
    found.set(path, level.stat);
    if (this.#recursive) for (const name of level.children) await this.#walk(joinPath(path, name), found, options);
  }

  /** Remembers what was found, and gives what has become of what was known. */
  #differences(found: Map<string, Stat>, zxid: WatchEvent['zxid']): WatchEvent[] {
    const events: WatchEvent[] = [];
    const note = (type: NodeEventType, path: string, at: WatchEvent['zxid']) => events.push({ type, path, zxid: at });
    for (const path of [...this.#known.keys()].reverse()) {
      if (found.has(path) || this.#touched.has(path)) continue;
      this.#known.delete(path);
      note('NODE_DELETED', path, zxid);
    }
    for (const [path, stat] of found) {
      if (this.#touched.has(path)) continue;
      const isKnown = this.#known.has(path);
      const before = this.#known.get(path);
      this.#known.set(path, { czxid: stat.czxid, mzxid: stat.mzxid, pzxid: stat.pzxid });
      const isSame = before?.czxid === stat.czxid;
      if (before !== undefined && !isSame) note('NODE_DELETED', path, stat.czxid);
      if (!isKnown || (before !== undefined && !isSame)) note('NODE_CREATED', path, stat.czxid);
      else if (before?.mzxid !== stat.mzxid) note('NODE_DATA_CHANGED', path, stat.mzxid);
      if (!this.#recursive && isKnown && before?.pzxid !== stat.pzxid) note('NODE_CHILDREN_CHANGED', path, stat.pzxid);
    }
    return events;
  }
}
