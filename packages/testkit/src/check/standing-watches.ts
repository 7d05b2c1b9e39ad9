/**
 * The watches of one session that stay, as its client knows of them, and what they must be told: one event of each kind for every change after they were
 * set, in the order of G, however many of them it matches (zookeeper.md 1.9). It shares no code with the server's table.
 */
import type { Acl } from '@quorate/protocol';
import { type Change, parentOf, type Trigger, type ZnodeHistory } from './znode-history.js';

/** An event that is due. */
export interface DueEvent extends Trigger {
  readonly path: string;
  /** Whether it must be told; it is not known whether its watcher had proved by then that it may read the znode. */
  readonly isSure: boolean;
}

/** Whether a watcher may read a znode with this ACL; undefined where that is not known. */
export type MayRead = (acl: readonly Acl[]) => boolean | undefined;

export class StandingWatches {
  /** By path: the index in G after which changes are told. */
  readonly persistent = new Map<string, number>();
  readonly recursive = new Map<string, number>();
  readonly #znodes: ZnodeHistory;
  /** The first change of which not everything has been told, and how many of its events have been. */
  #next = 0;
  #told = 0;

  constructor(znodes: ZnodeHistory) {
    this.#znodes = znodes;
  }

  get size(): number {
    return this.persistent.size + this.recursive.size;
  }

  /** Armed from `index` on; one that is there already stays as it is. All that was due up to there has been asked for. */
  arm(recursive: boolean, path: string, index: number): void {
    if (this.size === 0) this.skipTo(index);
    const table = recursive ? this.recursive : this.persistent;
    if (!table.has(path)) table.set(path, index);
  }

  /** What was due up to `index` is not expected any more. */
  skipTo(index: number): void {
    const next = this.#znodes.changesUpTo(index);
    if (next <= this.#next) return;
    this.#next = next;
    this.#told = 0;
  }

  /** What is due next, if that is not later than `index`; `onWithheld` hears of what is not, because its watcher may not read it. */
  dueUpTo(index: number, mayRead: MayRead, onWithheld: () => void): DueEvent | undefined {
    if (this.size === 0) return undefined;
    const { changes } = this.#znodes;
    for (let change = changes[this.#next]; change !== undefined && change.index <= index; change = changes[this.#next]) {
      for (const events = this.#eventsOf(change); this.#told < events.length; this.#told++) {
        const event = events[this.#told] as Omit<DueEvent, 'isSure'>;
        const readable = mayRead(event.acl);
        if (readable !== false) return { ...event, isSure: readable === true };
        onWithheld();
      }
      this.#next++;
      this.#told = 0;
    }
    return undefined;
  }

  /** What is due next has been told, or will not be. */
  take(): void {
    this.#told++;
  }

  /** How many of the watches match an event. */
  matching({ type, path, index }: Omit<DueEvent, 'isSure'>): number {
    const armed = (at: number | undefined): boolean => at !== undefined && at < index;
    let count = armed(this.persistent.get(path)) ? 1 : 0;
    if (type !== 'childrenChanged') for (const at of withAncestors(path)) if (armed(this.recursive.get(at))) count++;
    return count;
  }

  #eventsOf({ index, type, path, acl, parentAcl }: Change): Omit<DueEvent, 'isSure'>[] {
    const events: Omit<DueEvent, 'isSure'>[] = [];
    const tell = (event: Omit<DueEvent, 'isSure'>): void => {
      if (this.matching(event) > 0) events.push(event);
    };
    tell({ index, type, path, acl });
    if (type !== 'dataChanged') tell({ index, type: 'childrenChanged', path: parentOf(path), acl: parentAcl });
    return events;
  }
}

function withAncestors(path: string): string[] {
  const paths = [path];
  for (let at = path; at !== '/'; ) {
    at = parentOf(at);
    paths.push(at);
  }
  return paths;
}
