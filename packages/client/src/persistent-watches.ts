/**
 * The watches of a client that stay, and the calls that set them and take them back.
 *
 * The server has one watch for each path and mode, however many owners there are here: the last one that goes takes it back there too. Invariant: a
 * watch that nobody needs is being taken back, or its connection is gone.
 */
import {
  AddWatchMode,
  type AddWatchRequest,
  ErrorCode,
  type ErrorName,
  OpCode,
  type ReplyMessage,
  type WatcherRequest,
  WatcherType,
  ZooKeeperError,
} from '@quorate/protocol';
import { type AddWatchOptions, checkBoolean, checkWatch, type RemoveWatchesOptions, type WatcherTypeOptions } from './arguments.js';
import type { CatchUp } from './catch-up.js';
import type { ClientMachine } from './client-machine.js';
import { isConnected } from './client-state.js';
import type { Dispatch } from './dispatch.js';
import { PersistentWatch } from './persistent-watch.js';
import { PromiseCall } from './promise-call.js';
import { addWatchRequest, checkWatchesRequest, removeWatchesRequest } from './requests.js';
import { nothing } from './results.js';
import { surface } from './surface.js';
import type { WatchEvent, Watcher } from './watch-registry.js';

/** What the server has, or is asked to have, for watches of one path and mode. */
interface Need {
  /** Watches that are set or being set. */
  count: number;
  /** Whether a server has said that it has it. */
  set: boolean;
}

/** The watches of one client. */
export class PersistentWatches {
  readonly #dispatch: Dispatch;
  readonly #machine: ClientMachine;
  readonly #needs: Record<AddWatchMode, Map<string, Need>> = { 0: new Map(), 1: new Map() };
  /** What each watch that is set has registered. */
  readonly #live = new Map<PersistentWatch, Watcher>();

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
    this.#machine = dispatch.machine;
  }

  /** Sets a watch. */
  add(path: string, options: AddWatchOptions | undefined, catchUp?: CatchUp): Promise<PersistentWatch> {
    const request = addWatchRequest(path, checkBoolean('recursive', options?.recursive ?? false));
    checkWatch(options?.watch);
    // Before the watch is counted.
    this.#dispatch.check(request, options);
    return this.#dispatch.submit(this.#call(request, options?.watch, catchUp), options);
  }

  /** Takes back watches of all kinds, one-shot ones too. */
  removeAll(path: string, options: RemoveWatchesOptions | undefined): Promise<void> {
    const request = removeWatchesRequest(path, options?.type);
    this.#dispatch.check(request, options);
    const drop = checkBoolean('local', options?.local ?? false) ? () => this.#machine.drop(request) : undefined;
    if (drop !== undefined && this.#machine.state === 'CONNECTING') {
      if (drop()) return Promise.resolve();
      throw new ZooKeeperError('NO_WATCHER', `removeWatches ${path}: NO_WATCHER`, { path, operation: 'removeWatches' });
    }
    return this.#dispatch.submit(new RemoveWatchesCall(request, drop), options);
  }

  /** Whether the server has watches of a path and type. */
  check(path: string, options: WatcherTypeOptions | undefined): Promise<boolean> {
    const request = checkWatchesRequest(path, options?.type);
    return this.#dispatch.submit(new CheckWatchesCall(request, undefined, () => true), options);
  }

  /** The session has ended, and all watches with it. */
  end(): void {
    for (const watch of this.#live.keys()) watch.end();
    this.#live.clear();
  }

  /** The call that sets a watch, from now on counted. */
  #call(request: AddWatchRequest, callback: Watcher | undefined, catchUp: CatchUp | undefined): AddWatchCall {
    const { path, mode } = request as AddWatchRequest & { readonly mode: AddWatchMode };
    const recursive = mode === AddWatchMode.persistentRecursive;
    const watch = new PersistentWatch({ path, recursive, callback, remove: (one) => this.#remove(one) });
    const watcher: Watcher = (event) => {
      if (event.type === 'PERSISTENT_WATCH_REMOVED' && !this.#onRemoved(watch)) return;
      if (catchUp === undefined) watch.tell(event);
      else catchUp.on(event, tell);
    };
    // What a comparison finds comes later, when the watch may have been taken back.
    const tell: Watcher = (event) => {
      if (event.type === 'PERSISTENT_WATCH_REMOVED' || this.#live.has(watch))
        surface(this.#dispatch.clock, (one: WatchEvent) => watch.tell(one), event);
    };
    const needs = this.#needs[mode];
    const need = needs.get(path) ?? { count: 0, set: false };
    need.count++;
    needs.set(path, need);
    return new AddWatchCall(request, watch, watcher, {
      onSet: (wanted) => {
        need.set = true;
        if (wanted) this.#live.set(watch, watcher);
        else void this.#release(path, mode);
      },
      onNotSet: () => void this.#release(path, mode),
    });
  }

  async #remove(watch: PersistentWatch): Promise<void> {
    const watcher = this.#live.get(watch);
    if (watcher === undefined) return;
    this.#live.delete(watch);
    watch.end();
    const mode = modeOf(watch);
    this.#machine.forget(watch.path, mode, watcher);
    await this.#release(watch.path, mode);
  }

  /** All watches of its path and mode have been taken back, this one among them. False where its owner has done so himself meanwhile. */
  #onRemoved(watch: PersistentWatch): boolean {
    if (!this.#live.delete(watch)) return false;
    const needs = this.#needs[modeOf(watch)];
    const need = needs.get(watch.path);
    if (need !== undefined && --need.count === 0) needs.delete(watch.path);
    return true;
  }

  /** One watch less that needs what the server has. */
  async #release(path: string, mode: AddWatchMode): Promise<void> {
    const needs = this.#needs[mode];
    const need = needs.get(path);
    if (need === undefined || --need.count > 0) return;
    needs.delete(path);
    // A connection that is to come will not have it.
    if (!need.set || !isConnected(this.#machine.state)) return;
    const watcherType = mode === AddWatchMode.persistent ? WatcherType.persistent : WatcherType.persistentRecursive;
    const call = new ReleaseCall({ type: OpCode.removeWatches, path, watcherType });
    this.#machine.submit(call);
    await call.promise;
  }
}

function modeOf({ recursive }: PersistentWatch): AddWatchMode {
  return recursive ? AddWatchMode.persistentRecursive : AddWatchMode.persistent;
}

/** What becomes of a call that sets a watch; one of the two is called, once. */
interface AddWatchOutcome {
  /** The server has the watch. @param wanted false where the caller has lost interest meanwhile. */
  onSet(wanted: boolean): void;
  onNotSet(): void;
}

class AddWatchCall extends PromiseCall<PersistentWatch> {
  readonly #outcome: AddWatchOutcome;

  constructor(request: AddWatchRequest, watch: PersistentWatch, watcher: Watcher, outcome: AddWatchOutcome) {
    super(request, watcher, () => watch);
    this.#outcome = outcome;
  }

  override onGivenUp(): void {
    this.#outcome.onNotSet();
  }

  override onReply(reply: ReplyMessage): void {
    if (reply.err === ErrorCode.OK) this.#outcome.onSet(this.watcher !== undefined);
    super.onReply(reply);
    if (reply.err !== ErrorCode.OK && this.settled) this.#outcome.onNotSet();
  }

  override onFailure(code: ErrorName, reason?: Error): void {
    super.onFailure(code, reason);
    // Otherwise it is made again.
    if (this.settled) this.#outcome.onNotSet();
  }
}

/** That there is none is an answer. */
class CheckWatchesCall extends PromiseCall<boolean> {
  protected override onError(number: number): void {
    if (number === ErrorCode.NO_WATCHER) this.resolve(false);
    else super.onError(number);
  }
}

/**
 * Takes back what nobody needs. However it ends, it is over: where the server does not do it (Apache ZooKeeper before 3.9 does not know the types), it
 * keeps the watch for as long as this connection lives, and what it tells of it is for nobody.
 */
class ReleaseCall extends PromiseCall<void> {
  constructor(request: WatcherRequest) {
    super(request, undefined, nothing);
  }

  protected override onError(): void {
    this.resolve();
  }

  override onFailure(): void {
    this.resolve();
  }
}

/** Takes watches back; with `drop` if need be without the server: where the connection ends first, no other one will have them. */
class RemoveWatchesCall extends PromiseCall<void> {
  readonly #drop: (() => void) | undefined;

  constructor(request: WatcherRequest, drop: (() => void) | undefined) {
    super(request, undefined, nothing);
    this.#drop = drop;
  }

  override onFailure(code: ErrorName, reason?: Error): void {
    if (code !== 'CONNECTION_LOSS' || this.#drop === undefined) return super.onFailure(code, reason);
    this.#drop();
    this.resolve();
  }
}
