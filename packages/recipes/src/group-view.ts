/** The members of a group, followed. */
import { type CallOptions, type Client, EventStream, isFinal, type PersistentWatch, type WatchEvent } from '@quorate/client';
import { baseNameOf, isZooKeeperError, joinPath, parentOf, ZooKeeperError, type Zxid } from '@quorate/protocol';
import { childrenOf } from './children.js';
import { persevere } from './persevere.js';
import { RecipeError } from './recipe-error.js';

/** A member of a group, as others see it. */
export interface MemberInfo {
  /** As it has called itself. */
  readonly id: string;
  readonly data: Uint8Array;
  /** The txn with which it has joined: of two members with one id the later one counts. */
  readonly joined: Zxid;
  /** The txn that has set its data. */
  readonly changed: Zxid;
}

/** What has changed. `MISSED`: the loop was too slow, and changes are left out; look at `members`. */
export type GroupChange = { readonly type: 'JOINED' | 'LEFT' | 'CHANGED'; readonly member: MemberInfo } | { readonly type: 'MISSED' };

/** How many changes a loop may lag behind. */
const CHANGES_KEPT_MAX = 1024;

/** What stands before a member's id in the name of its znode, because creates are protected. */
const PREFIX = /^_c_[0-9a-f]{32}-/;

/**
 * Who is in a group: kept up to date over one recursive watch, so that a change costs each view one event and one read.
 *
 * Invariant: what is read later is newer, so `members` never goes back.
 */
export class GroupView implements AsyncDisposable {
  readonly path: string;
  readonly #client: Client;
  readonly #changes = new EventStream<GroupChange>(CHANGES_KEPT_MAX, () => ({ type: 'MISSED' }));
  readonly #listeners = new Set<() => void>();
  /** By the names of their znodes. */
  readonly #znodes = new Map<string, MemberInfo>();
  /** By id: who counts. */
  #members = new Map<string, MemberInfo>();
  /** Names to be read again. */
  readonly #dirty = new Set<string>();
  /** Whether the directory is to be read again, and all in it. */
  #allDirty = true;
  #reading: Promise<void> | undefined;
  #watch: PersistentWatch | undefined;
  readonly #controller = new AbortController();
  #unsubscribe: () => void = () => {};

  private constructor(client: Client, path: string) {
    this.#client = client;
    this.path = path;
  }

  /** @internal */
  static async open(client: Client, path: string, options: CallOptions | undefined): Promise<GroupView> {
    const view = new GroupView(client, path);
    try {
      await view.#open(options);
      return view;
    } catch (error) {
      await view[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** All members, by ascending id. */
  get members(): readonly MemberInfo[] {
    return [...this.#members.values()];
  }

  /** Every change from the beginning of the loop on, until the view is disposed of or the session ends. */
  get changes(): AsyncIterable<GroupChange> {
    return this.#changes;
  }

  /** Aborts when the view is not kept up to date any more: it was disposed of, or the session has ended. */
  get ended(): AbortSignal {
    return this.#controller.signal;
  }

  /** Calls `listener` after changes, until the function that is returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the view. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(undefined);
    // Where the server cannot be told, it forgets the watch with the connection.
    await this.#watch?.remove().catch(() => {});
  }

  async #open(options: CallOptions | undefined): Promise<void> {
    this.#unsubscribe = this.#client.onState((state) => {
      if (isFinal(state)) this.#end(new ZooKeeperError('SESSION_EXPIRED', `the client is ${state}: nothing more is heard of ${this.path}`));
    });
    const watch = (event: WatchEvent): void => this.#onEvent(event);
    const add = (): Promise<PersistentWatch> => this.#client.addWatch(this.path, { recursive: true, watch, ...options });
    this.#watch = await persevere(this.#client, add, options);
    // Who has joined before the call is in the view.
    await persevere(this.#client, () => this.#client.sync(this.path, options), options);
    await this.#refresh();
    options?.signal?.throwIfAborted();
  }

  #onEvent({ path }: WatchEvent): void {
    // The directory has come or gone, or EVENTS_MISSED, which has the path of the watch.
    if (path === this.path) this.#allDirty = true;
    else if (parentOf(path) === this.path) this.#dirty.add(baseNameOf(path));
    this.#refresh().catch((error) => this.#end(error));
  }

  #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const options = { signal: this.ended };
    while (this.#allDirty || this.#dirty.size > 0) {
      if (this.#allDirty) {
        this.#allDirty = false;
        const { names } = await persevere(this.#client, () => childrenOf(this.#client, this.path, options), options);
        for (const name of [...names, ...this.#znodes.keys()]) this.#dirty.add(name);
      }
      const names = [...this.#dirty];
      this.#dirty.clear();
      const members = await Promise.all(names.map((name) => this.#readMember(name, options)));
      for (const [index, member] of members.entries()) {
        const name = names[index] as string;
        if (member === undefined) this.#znodes.delete(name);
        else this.#znodes.set(name, member);
      }
      this.#tell();
    }
  }

  async #readMember(name: string, options: CallOptions): Promise<MemberInfo | undefined> {
    const path = joinPath(this.path, name);
    try {
      const { data, stat } = await persevere(this.#client, () => this.#client.getData(path, options), options);
      return { id: name.replace(PREFIX, ''), data, joined: stat.czxid, changed: stat.mzxid };
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }

  /** Whom it makes out, what is different from before, and who wants to know. */
  #tell(): void {
    const before = this.#members;
    const after = new Map<string, MemberInfo>();
    for (const member of this.#znodes.values()) if (member.joined > (after.get(member.id)?.joined ?? 0)) after.set(member.id, member);
    this.#members = new Map([...after].sort(([a], [b]) => (a < b ? -1 : 1)));
    const changes = [...differences(before, this.#members)];
    for (const change of changes) this.#changes.push(change);
    if (changes.length > 0) for (const listener of [...this.#listeners]) listener();
  }

  #end(reason: unknown): void {
    if (this.ended.aborted) return;
    this.#unsubscribe();
    this.#controller.abort(reason ?? new RecipeError('DISPOSED', `the view of ${this.path} was disposed of`));
    this.#changes.end();
  }
}

function* differences(before: ReadonlyMap<string, MemberInfo>, after: ReadonlyMap<string, MemberInfo>): Generator<GroupChange> {
  for (const [id, member] of before) if (after.get(id)?.joined !== member.joined) yield { type: 'LEFT', member };
  for (const [id, member] of after) {
    const old = before.get(id);
    if (old?.joined !== member.joined) yield { type: 'JOINED', member };
    else if (old.changed !== member.changed) yield { type: 'CHANGED', member };
  }
}
