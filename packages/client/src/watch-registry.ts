/**
 * The watches that a client has left on servers (ZooKeeper: class `ZKWatchManager`).
 *
 * Three tables of path → watchers whose watches are one-shot: *data* for znodes that exist, *exist* for znodes that do not, *child*. What fires such a
 * watch takes it out of its table, as it goes out of the server's. Two tables of those that stay: *persistent* of a path, *recursive* of everything
 * below it too. One function registered twice for one path is called once, also where several of its watches match.
 *
 * A watch that stays is *armed* while the server that is connected has it. What comes before that on a new connection is told of one-shot watches, and
 * not in the order of the changes.
 */
import {
  AddWatchMode,
  ErrorCode,
  type EventMessage,
  EventType,
  OpCode,
  parentOf,
  type Request,
  WatcherType,
  type Zxid,
} from '@quorate/protocol';

/**
 * What a watcher is told. By the names of ZooKeeper's `EventType`: what happened to a znode, or that the watch was taken back by `removeWatches`.
 * `EVENTS_MISSED`, for watches that stay alone: from here on all is told again, and what changed before may have gone unheard.
 */
export type WatchEventType = NodeEventType | 'DATA_WATCH_REMOVED' | 'CHILD_WATCH_REMOVED' | 'PERSISTENT_WATCH_REMOVED' | 'EVENTS_MISSED';

/** What happens to a znode. */
export type NodeEventType = 'NODE_CREATED' | 'NODE_DELETED' | 'NODE_DATA_CHANGED' | 'NODE_CHILDREN_CHANGED';

/** What a watcher is told. It says that something has changed, not what is there now: read again to learn that. */
export interface WatchEvent {
  readonly type: WatchEventType;
  /** Of the znode; of the watch itself where that was taken back or has missed events. */
  readonly path: string;
  /**
   * The txn that fired the watch; not positive from ZooKeeper servers before 3.9 and for changes found on reconnecting to one. Of events about the watch
   * itself: how far the server was.
   */
  readonly zxid: Zxid;
}

/** Is called at most once, by `addWatch` each time; no more after the end of the session. */
export type Watcher = (event: WatchEvent) => void;

type Table = Map<string, Set<Watcher>>;

/** The watchers of a watch that stays. */
interface Standing {
  readonly watchers: Set<Watcher>;
  armed: boolean;
}

type StandingTable = Map<string, Standing>;

/** Watchers, and what they are to be told. */
export interface Telling {
  readonly watchers: Iterable<Watcher>;
  readonly event: WatchEvent;
}

export class WatchRegistry {
  readonly #data: Table = new Map();
  readonly #exist: Table = new Map();
  readonly #child: Table = new Map();
  readonly #persistent: StandingTable = new Map();
  readonly #recursive: StandingTable = new Map();

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

  get persistentPaths(): Iterable<string> {
    return this.#persistent.keys();
  }

  get recursivePaths(): Iterable<string> {
    return this.#recursive.keys();
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
      case OpCode.addWatch:
        if (err === ErrorCode.OK) stand(this.#tableOf(request.mode), request.path, watcher);
        return;
      default:
        return;
    }
  }

  /** Takes out every one-shot watcher that an event from a server fires, and gives all watchers that it is for. */
  take(type: NodeEventType, path: string): Set<Watcher> {
    const fired = new Set<Watcher>();
    if (type !== 'NODE_CHILDREN_CHANGED') {
      move(this.#data, path, fired);
      move(this.#exist, path, fired);
    }
    // A deleted znode fires its child watches too; the server sends one event for both tables.
    if (type === 'NODE_CHILDREN_CHANGED' || type === 'NODE_DELETED') move(this.#child, path, fired);
    collect(this.#persistent, path, fired);
    // Of children a recursive watch is not told: such an event is for a watch of another kind (ZOOKEEPER-4475).
    if (type === 'NODE_CHILDREN_CHANGED' || this.#recursive.size === 0) return fired;
    for (let at = path; ; at = parentOf(at)) {
      collect(this.#recursive, at, fired);
      if (at === '/') return fired;
    }
  }

  /** A new connection: no watch is armed there. */
  disarm(): void {
    for (const table of [this.#persistent, this.#recursive]) for (const standing of table.values()) standing.armed = false;
  }

  /** The server has armed these watches again: whom it is to be told that they may have missed something. */
  rearmed(persistent: readonly string[], recursive: readonly string[], zxid: Zxid): Telling[] {
    return [...arm(this.#persistent, persistent, zxid), ...arm(this.#recursive, recursive, zxid)];
  }

  /** Takes one watcher out that would be told on and on. */
  forget(path: string, mode: AddWatchMode, watcher: Watcher): void {
    const table = this.#tableOf(mode);
    const standing = table.get(path);
    standing?.watchers.delete(watcher);
    if (standing?.watchers.size === 0) table.delete(path);
  }

  /** Takes out the watches of a path that a `WatcherType` means: whom that is to be told. */
  remove(path: string, type: number, zxid: Zxid): Telling[] {
    const any = type === WatcherType.any;
    const tellings: Telling[] = [];
    const tell = (removed: WatchEventType, take: (to: Set<Watcher>) => void): void => {
      const watchers = new Set<Watcher>();
      take(watchers);
      if (watchers.size > 0) tellings.push({ watchers, event: { type: removed, path, zxid } });
    };
    if (any || type === WatcherType.data)
      tell('DATA_WATCH_REMOVED', (to) => {
        move(this.#data, path, to);
        move(this.#exist, path, to);
      });
    if (any || type === WatcherType.children) tell('CHILD_WATCH_REMOVED', (to) => move(this.#child, path, to));
    tell('PERSISTENT_WATCH_REMOVED', (to) => {
      if (any || type === WatcherType.persistent) moveStanding(this.#persistent, path, to);
      if (any || type === WatcherType.persistentRecursive) moveStanding(this.#recursive, path, to);
    });
    return tellings;
  }

  clear(): void {
    for (const table of [this.#data, this.#exist, this.#child, this.#persistent, this.#recursive]) table.clear();
  }

  #tableOf(mode: number): StandingTable {
    return mode === AddWatchMode.persistent ? this.#persistent : this.#recursive;
  }
}

/** The watch event in a message; undefined for an event about the session, and for a type that is not known. */
export function watchEventOf(message: EventMessage): (WatchEvent & { readonly type: NodeEventType }) | undefined {
  const type = eventTypes.get(message.type);
  return type === undefined ? undefined : { type, path: message.path, zxid: message.zxid };
}

const eventTypes: ReadonlyMap<number, NodeEventType> = new Map([
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

function stand(table: StandingTable, path: string, watcher: Watcher): void {
  const standing = table.get(path);
  if (standing === undefined) {
    table.set(path, { watchers: new Set([watcher]), armed: true });
  } else {
    standing.watchers.add(watcher);
    standing.armed = true;
  }
}

function move(table: Table, path: string, to: Set<Watcher>): void {
  const watchers = table.get(path);
  if (watchers === undefined) return;
  table.delete(path);
  for (const watcher of watchers) to.add(watcher);
}

function moveStanding(table: StandingTable, path: string, to: Set<Watcher>): void {
  for (const watcher of table.get(path)?.watchers ?? []) to.add(watcher);
  table.delete(path);
}

function collect(table: StandingTable, path: string, to: Set<Watcher>): void {
  const standing = table.get(path);
  if (standing?.armed === true) for (const watcher of standing.watchers) to.add(watcher);
}

function arm(table: StandingTable, paths: readonly string[], zxid: Zxid): Telling[] {
  return paths.flatMap((path) => {
    const standing = table.get(path);
    if (standing === undefined) return [];
    standing.armed = true;
    return [{ watchers: [...standing.watchers], event: { type: 'EVENTS_MISSED', path, zxid } as const }];
  });
}
