/**
 * The watches that a client has left on servers (ZooKeeper: class `ZKWatchManager`).
 *
 * Three tables of path → watchers: *data* for znodes that exist, *exist* for znodes that do not, *child*. A watch is one-shot: what
 * fires it takes it out of its table, as it goes out of the server's. One function registered twice for one path is called once.
 */
import { ErrorCode, type EventMessage, EventType, OpCode, type Request, type Zxid } from '@quorate/protocol';

/** What happened to a znode, by the names of ZooKeeper's `EventType`. */
export type WatchEventType = 'NODE_CREATED' | 'NODE_DELETED' | 'NODE_DATA_CHANGED' | 'NODE_CHILDREN_CHANGED';

/** What a watcher is told. It says that something has changed, not what is there now: read again to learn that. */
export interface WatchEvent {
  readonly type: WatchEventType;
  readonly path: string;
  /** The txn that fired the watch; not positive from ZooKeeper servers before 3.9 and for changes found on reconnecting to one. */
  readonly zxid: Zxid;
}

/** Is called at most once; never, where the session ends first. */
export type Watcher = (event: WatchEvent) => void;

type Table = Map<string, Set<Watcher>>;

export class WatchRegistry {
  readonly #data: Table = new Map();
  readonly #exist: Table = new Map();
  readonly #child: Table = new Map();

  /** The paths with a data watch, in the order of registration; likewise the others. */
  get dataPaths(): Iterable<string> {
    return this.#data.keys();
  }

  get existPaths(): Iterable<string> {
    return this.#exist.keys();
  }

  get childPaths(): Iterable<string> {
    return this.#child.keys();
  }

  /** Registers the watcher of a request that was answered by `err`, where the server has armed the watch. */
  answered(request: Request, err: number, watcher: Watcher): void {
    switch (request.type) {
      case OpCode.exists:
        if (err === ErrorCode.OK) add(this.#data, request.path, watcher);
        if (err === ErrorCode.NO_NODE) add(this.#exist, request.path, watcher);
        return;
      case OpCode.getData:
        if (err === ErrorCode.OK) add(this.#data, request.path, watcher);
        return;
      case OpCode.getChildren:
      case OpCode.getChildren2:
        if (err === ErrorCode.OK) add(this.#child, request.path, watcher);
        return;
      default:
        return;
    }
  }

  /** Takes out every watcher that an event from a server fires. */
  take(type: WatchEventType, path: string): Set<Watcher> {
    const fired = new Set<Watcher>();
    if (type !== 'NODE_CHILDREN_CHANGED') {
      move(this.#data, path, fired);
      move(this.#exist, path, fired);
    }
    // A deleted znode fires its child watches too; the server sends one event for both tables.
    if (type === 'NODE_CHILDREN_CHANGED' || type === 'NODE_DELETED') move(this.#child, path, fired);
    return fired;
  }

  clear(): void {
    this.#data.clear();
    this.#exist.clear();
    this.#child.clear();
  }
}

/** The watch event in a message; undefined for an event about the session, and for a type that is not known. */
export function watchEventOf(message: EventMessage): WatchEvent | undefined {
  const type = eventTypes.get(message.type);
  return type === undefined ? undefined : { type, path: message.path, zxid: message.zxid };
}

const eventTypes: ReadonlyMap<number, WatchEventType> = new Map([
  [EventType.nodeCreated, 'NODE_CREATED'],
  [EventType.nodeDeleted, 'NODE_DELETED'],
  [EventType.nodeDataChanged, 'NODE_DATA_CHANGED'],
  [EventType.nodeChildrenChanged, 'NODE_CHILDREN_CHANGED'],
]);

function add(table: Table, path: string, watcher: Watcher): void {
  const watchers = table.get(path);
  if (watchers === undefined) table.set(path, new Set([watcher]));
  else watchers.add(watcher);
}

function move(table: Table, path: string, to: Set<Watcher>): void {
  const watchers = table.get(path);
  if (watchers === undefined) return;
  table.delete(path);
  for (const watcher of watchers) to.add(watcher);
}
