/** A group whose members are known to each other, and that sees who has failed. */
import type { CallOptions, Client, Data } from '@quorate/client';
import { CreateMode, isZooKeeperError, joinPath, validatePath } from '@quorate/protocol';
import { GroupView } from './group-view.js';
import { Hold, leaseOf } from './hold.js';
import { withParents, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { Watchpost } from './watchpost.js';

/** What `join` takes. */
export interface JoinOptions extends CallOptions {
  /** What others know of the member; nothing when absent. */
  readonly data?: Data | undefined;
}

/**
 * A group: each member is an ephemeral znode, so it is gone when its process has left, or when the session of a process that has failed is over.
 *
 * @example
 * const group = new Membership(client, '/workers');
 * await using me = await group.join('worker-7', { data: '10.0.0.7' });
 * await using view = await group.view();
 * for await (const change of view.changes) console.log(change);
 */
export class Membership {
  readonly path: string;
  readonly #client: Client;
  readonly #options: ZnodeOptions;
  readonly #posts: Watchpost;

  /** @param path the directory of the group, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, { acl }: ZnodeOptions = {}) {
    validatePath(path);
    this.path = path;
    this.#client = client;
    this.#options = { acl };
    this.#posts = new Watchpost(client);
  }

  /**
   * Joins the group, until the membership is released or the session ends. A process that was started again may join under its old id at once: others see the newer one
   * of two members of one id.
   *
   * @param id any name of one component.
   * @throws ZooKeeperError BAD_ARGUMENTS, what a create rejects with; the signal's reason.
   */
  async join(id: string, { data, signal }: JoinOptions = {}): Promise<Joined> {
    checkComponent('id', id);
    const how = { mode: CreateMode.EPHEMERAL, protected: true, ...this.#options, signal };
    const create = (): ReturnType<Client['create']> => this.#client.create(joinPath(this.path, id), data, how);
    const created = await withParents(this.#client, this.path, create, { ...this.#options, signal });
    await leaseOf(this.#client);
    return new Joined({ client: this.#client, posts: this.#posts, id, ...created });
  }

  /** Who is in the group: everybody who has joined before the call, and then what changes. */
  view(options?: CallOptions): Promise<GroupView> {
    return GroupView.open(this.#client, this.path, options);
  }
}

interface JoinedOptions {
  readonly client: Client;
  readonly posts: Watchpost;
  readonly id: string;
  readonly path: string;
  readonly stat: { readonly czxid: Hold['fencingToken'] };
}

/** A membership of one's own. */
export class Joined extends Hold {
  readonly id: string;
  readonly #client: Client;
  /** Settles when the data that were set so far are. */
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor({ client, posts, id, path, stat }: JoinedOptions) {
    super({ path, fencingToken: stat.czxid, safe: () => client.leaseSignal, posts, giveUp: () => leave(client, path) });
    this.id = id;
    this.#client = client;
  }

  /**
   * Replaces what others know of this member, after earlier calls.
   *
   * @throws ZooKeeperError NO_NODE where it is not a member any more.
   */
  async update(data: Data): Promise<void> {
    const own = typeof data === 'string' ? data : data.slice();
    // Nobody else writes to it, so to write the same twice does no harm.
    const update = this.#last.then(() => persevere(this.#client, () => this.#client.setData(this.path, own)));
    this.#last = update.catch(() => {});
    await update;
  }
}

async function leave(client: Client, path: string): Promise<void> {
  try {
    await persevere(client, () => client.delete(path));
  } catch (error) {
    if (!isZooKeeperError(error, 'NO_NODE') && !isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
  }
}

/** @throws TypeError where a name is none of one component. */
export function checkComponent(what: string, name: string): void {
  if (typeof name !== 'string' || name.length === 0 || name.includes('/'))
    throw new TypeError(`${what} must be a string without "/" and not empty, not ${JSON.stringify(name)}`);
}
