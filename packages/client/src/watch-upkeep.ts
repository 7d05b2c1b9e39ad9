/**
 * The watches of a client from one connection to the next: which are registered, which are being armed again, and who is told
 * (ZooKeeper: `ZKWatchManager`).
 */
import type { Clock } from '@quorate/ports';
import {
  type AddWatchMode,
  ErrorCode,
  type EventMessage,
  NO_ZXID,
  OpCode,
  type ReplyMessage,
  type SetWatches2Request,
  type SetWatchesRequest,
  type WatcherRequest,
  type Zxid,
} from '@quorate/protocol';
import type { Call } from './call.js';
import { surface } from './surface.js';
import { rearm } from './watch-rearming.js';
import { type Telling, type Watcher, WatchRegistry, watchEventOf } from './watch-registry.js';

export class WatchUpkeep {
  readonly #clock: Clock;
  readonly #pathPrefixBytes: number;
  readonly #registry = new WatchRegistry();
  /** Watches that are being set again on this connection, in the order of sending. */
  #rearming: (SetWatchesRequest | SetWatches2Request)[] = [];
  /**
   * The highest zxid of a reply: every event up to it has arrived. Events themselves do not count, because a txn may fire several
   * watches and the connection may end between them.
   */
  #lastReplyZxid: Zxid = NO_ZXID;

  /** @param pathPrefixBytes what is put in front of each path on its way, in bytes. */
  constructor(clock: Clock, pathPrefixBytes = 0) {
    this.#clock = clock;
    this.#pathPrefixBytes = pathPrefixBytes;
  }

  /** A new connection, on which no watch is armed: what is to be sent there. */
  rearm(): readonly (SetWatchesRequest | SetWatches2Request)[] {
    this.#registry.disarm();
    this.#rearming = rearm(this.#registry, this.#lastReplyZxid, this.#pathPrefixBytes);
    return [...this.#rearming];
  }

  /** The oldest of these requests is answered. False where the server has not armed its watches, which would be lost without a word. */
  onRearmed({ err, zxid }: ReplyMessage): boolean {
    const request = this.#rearming.shift();
    if (err !== ErrorCode.OK || request === undefined) return false;
    if (request.type === OpCode.setWatches) return true;
    const tellings = this.#registry.rearmed(request.persistentWatches, request.persistentRecursiveWatches, zxid);
    // Every event up to there has arrived, so that where the server is no further nothing was missed.
    if (zxid > request.relativeZxid) this.#tell(tellings);
    return true;
  }

  /** A call is answered: its watch is registered, or those that it takes back are not any more. */
  onReply({ request, watcher }: Call, { err, zxid }: ReplyMessage): void {
    if (zxid > this.#lastReplyZxid) this.#lastReplyZxid = zxid;
    if (watcher !== undefined) this.#registry.answered(request, err, watcher);
    if (request.type !== OpCode.removeWatches) return;
    // The server does not have these watches any more, or has lost them without a word because their znode may not be read.
    if (err === ErrorCode.OK || err === ErrorCode.NO_WATCHER) this.#tell(this.#registry.remove(request.path, request.watcherType, zxid));
  }

  onEvent(message: EventMessage): void {
    const event = watchEventOf(message);
    if (event === undefined) return;
    for (const watcher of this.#registry.take(event.type, event.path)) surface(this.#clock, watcher, event);
  }

  /** Tells a watcher nothing more of a watch that stays. */
  forget(path: string, mode: AddWatchMode, watcher: Watcher): void {
    this.#registry.forget(path, mode, watcher);
  }

  /** Takes back watches on this side alone. Returns whether there were any; whoever waits for them is told later. */
  drop({ path, watcherType }: WatcherRequest, zxid: Zxid): boolean {
    const tellings = this.#registry.remove(path, watcherType, zxid);
    this.#clock.defer(() => this.#tell(tellings));
    return tellings.length > 0;
  }

  clear(): void {
    this.#registry.clear();
  }

  #tell(tellings: readonly Telling[]): void {
    for (const { watchers, event } of tellings) for (const watcher of watchers) surface(this.#clock, watcher, event);
  }
}
