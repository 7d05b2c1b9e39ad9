/** What the client of a session knows of its watches, and since when each is armed, as far as what it was told says. */
import { type EventMessage, EventType, WatcherType } from '@quorate/protocol';
import type { WireConnection } from './client-history.js';
import { StandingWatches } from './standing-watches.js';
import type { TriggerType, ZnodeHistory } from './znode-history.js';

/** By path: the index in G after which a change fires the watch. */
export type Table = Map<string, number>;

/** In place of that index, where the watch has fired and its client was not told. */
export const SPENT = Number.POSITIVE_INFINITY;

/** The watches of one session, as its client knows of them. */
export class SessionWatches {
  readonly data: Table = new Map();
  readonly exist: Table = new Map();
  readonly child: Table = new Map();
  readonly standing: StandingWatches;
  /** The connection on which they are armed. */
  connection: WireConnection | undefined;
  /** All that had fired up to here has been told. */
  checked = 0;

  constructor(znodes: ZnodeHistory) {
    this.standing = new StandingWatches(znodes);
  }

  /** The tables of the watches that a `WatcherType` means. */
  meantBy(type: number): Table[] {
    const { data, exist, child, standing } = this;
    switch (type) {
      case WatcherType.data:
        return [data, exist];
      case WatcherType.children:
        return [child];
      case WatcherType.persistent:
        return [standing.persistent];
      case WatcherType.persistentRecursive:
        return [standing.recursive];
      default:
        return [data, exist, child, standing.persistent, standing.recursive];
    }
  }
}

/** What an event says has happened. */
export const TRIGGER_TYPES: ReadonlyMap<number, TriggerType> = new Map([
  [EventType.nodeCreated, 'created'],
  [EventType.nodeDeleted, 'deleted'],
  [EventType.nodeDataChanged, 'dataChanged'],
  [EventType.nodeChildrenChanged, 'childrenChanged'],
]);

/** A watch that is there already stays as it is. */
export function arm(table: Table, path: string, index: number): void {
  if ((table.get(path) ?? SPENT) === SPENT) table.set(path, index);
}

/** An event takes out every watch that it fires, in the client as on the server. */
export function takeFired(watches: SessionWatches, event: EventMessage): void {
  const type = TRIGGER_TYPES.get(event.type);
  if (type !== 'childrenChanged') {
    watches.data.delete(event.path);
    watches.exist.delete(event.path);
  }
  if (type === 'childrenChanged' || type === 'deleted') watches.child.delete(event.path);
}
