/**
 * A double barrier: a number of members begin together and end together (ZooKeeper's recipe "Double Barriers").
 *
 * All stand in one directory. Who has come last makes the znode `ready` there, which says who belongs to the round, in a txn that also checks that all of these
 * still stand: so all of them enter, or none. Where he does not, another one does after a while. In the end each leaves but the keeper, the first of the round, who waits for the others and then removes `ready` together with
 * its own place. Everybody waits for `ready` and one other znode at most, and nobody reads the directory but the keeper and whoever opens the round.
 *
 * Invariant: the version of the directory changes when `ready` is made and at no other time. So a txn that checks it acts in the round that it means.
 */
import { type CallOptions, type Client, MultiError, type Operation, type WatchOptions } from '@quorate/client';
import { randomBelow } from '@quorate/ports';
import { decodeUtf8, isZooKeeperError, joinPath, type Stat, validatePath } from '@quorate/protocol';
import { beforeDeadline, type WaitOptions } from './deadline.js';
import { firstOf } from './first-of.js';
import { Line, type Member, type Place } from './line.js';
import type { ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { RecipeError } from './recipe-error.js';
import { Watchpost } from './watchpost.js';

/** How many members a double barrier may have: each costs the txn that opens it some 70 bytes. */
const MEMBERS_MAX = 10_000;

/** How long the others wait for the last one to open the round, in milliseconds. If all did it as soon as they can, each would list all. */
const LAST_ONE_MS = 200;

/** How far apart they try it then, in milliseconds, by chance and on average. */
const APART_MS = 10;

/** How a double barrier is made. All members must say the same. */
export interface DoubleBarrierOptions extends ZnodeOptions {
  /** How many enter together, 1 to 10,000. */
  readonly members: number;
}

/** What `ready` says. */
interface Round {
  /** The version of the directory in this round. */
  readonly version: number;
  /** The place of the first member. */
  readonly keeper: string;
  /** The number of the last one. Who has come later belongs to a later round. */
  readonly last: number;
}

/**
 * One member of a double barrier. Once it has left it may enter again, for another round.
 *
 * @example
 * const barrier = new DoubleBarrier(client, '/jobs/17', { members: 3 });
 * await barrier.enter();
 * await compute();
 * await barrier.leave();
 */
export class DoubleBarrier {
  readonly path: string;
  readonly #client: Client;
  readonly #size: number;
  readonly #line: Line<'member'>;
  readonly #ready: string;
  readonly #options: ZnodeOptions;
  readonly #posts: Watchpost;
  #stands = false;
  /** From the end of `enter` to the beginning of `leave`. */
  #inside: { readonly place: Place; readonly round: Round } | undefined;

  /** @param path the directory of the barrier, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path; TypeError. */
  constructor(client: Client, path: string, options: DoubleBarrierOptions) {
    validatePath(path);
    const { members, acl } = options ?? {};
    if (!Number.isInteger(members) || members < 1 || members > MEMBERS_MAX)
      throw new TypeError(`members must be a whole number from 1 to ${MEMBERS_MAX}, not ${String(members)}`);
    this.path = path;
    this.#client = client;
    this.#size = members;
    this.#options = { acl };
    this.#line = new Line(client, path, ['member'], this.#options);
    this.#ready = joinPath(path, 'ready');
    this.#posts = new Watchpost(client);
  }

  /**
   * Waits until all members are here. Where that takes too long, or the signal aborts, it rejects once it is sure that the others do not enter with this one; where they have done
   * so already, it has entered too, and resolves. To be sure takes a connection, or the end of the session.
   *
   * @throws RecipeError TIMEOUT, RecipeError CONFLICT where this member is not outside, the signal's reason. ZooKeeperError SESSION_EXPIRED and AUTH_FAILED: the others may
   * have entered with this one.
   */
  async enter(options?: WaitOptions): Promise<void> {
    if (this.#stands) throw new RecipeError('CONFLICT', `this member stands at ${this.path} already: leave() first`);
    this.#stands = true;
    let place: Place | undefined;
    try {
      this.#inside = await beforeDeadline(this.#client, `waiting for the members of ${this.path}`, options, async (bounds) => {
        // Without the signal: a place that nobody knew of could be counted in.
        place = await this.#line.join('member', undefined);
        return { place, round: await this.#begin(place, bounds) };
      });
    } catch (error) {
      // Where that fails, because the session has ended, it is not known whether the others have entered: nobody may be told the first error then.
      this.#stands = false;
      const round = place && (await this.#withdraw(place));
      if (place === undefined || round === undefined) throw error;
      this.#stands = true;
      this.#inside = { place, round };
    }
  }

  /**
   * Waits until all members of the round have left, or their sessions have ended. However it ends, this member has left.
   *
   * @throws RecipeError TIMEOUT, RecipeError CONFLICT where this member is not inside, the signal's reason, ZooKeeperError SESSION_EXPIRED and AUTH_FAILED.
   */
  async leave(options?: WaitOptions): Promise<void> {
    const inside = this.#inside;
    if (inside === undefined) throw new RecipeError('CONFLICT', `this member is not inside ${this.path}: enter() first`);
    this.#inside = undefined;
    const { place, round } = inside;
    try {
      await beforeDeadline(this.#client, `waiting for the members of ${this.path} to leave`, options, async (bounds) => {
        if (round.keeper === place.path) return this.#keep(round, place, bounds);
        await this.#line.leave(place);
        await this.#end(round, bounds);
      });
    } catch (error) {
      // Its caller need not wait for that, and where it fails the session's end does it.
      this.#line.leave(place).catch(() => {});
      throw error;
    } finally {
      this.#stands = false;
    }
  }

  /** Resolves with the round that this place belongs to, once it is open. */
  async #begin(place: Place, options: CallOptions): Promise<Round> {
    for (let opens = false; ; opens = true) {
      await this.#posts.changed(this.#ready, (watch) => this.#look(place, opens, { ...options, watch }), options);
      const round = await this.#readRound(options);
      if (round === undefined) continue;
      if (this.#isOf(round, place)) return round;
      await this.#end(round, options);
    }
  }

  /**
   * Counts the members, and opens a round if they are enough and it is this one's turn: it has come last, or the others have waited for that one for too long.
   *
   * @returns what is to be waited for, as `Watchpost.changed` takes it.
   */
  async #look(place: Place, opens: boolean, { signal, watch }: WatchOptions): Promise<boolean | number> {
    for (;;) {
      // The watch is set before the members are counted, or the end of another round could go unnoticed.
      if ((await this.#client.exists(this.#ready, { signal, watch })) !== undefined) return false;
      const stat = await this.#client.exists(this.path, { signal });
      if (stat === undefined || stat.numChildren < this.#size) return true;
      opens ||= stat.pzxid === place.czxid;
      if (!opens) return LAST_ONE_MS + randomBelow(this.#client.random, this.#size * APART_MS);
      if (await this.#open(stat, { signal })) return true;
    }
  }

  /** Opens a round with the first members. False where something has changed meanwhile. */
  async #open({ version }: Stat, options: CallOptions): Promise<boolean> {
    const members = (await this.#line.members(options)).slice(0, this.#size);
    const [first, last] = [members[0], members.at(-1)];
    if (first === undefined || last === undefined || members.length < this.#size) return true;
    const paths = members.map(({ name }) => joinPath(this.path, name));
    const round: Round = { version: version + 1, keeper: joinPath(this.path, first.name), last: last.number };
    const refusal = await this.#refusalOf([
      { op: 'setData', path: this.path, data: '', version },
      { op: 'create', path: this.#ready, data: JSON.stringify(round), ...this.#options },
      ...paths.map((path) => ({ op: 'check', path }) as const),
    ]);
    return refusal === undefined;
  }

  /** Takes the place back unless a round has been opened with it, which is given then. */
  async #withdraw(place: Place): Promise<Round | undefined> {
    for (;;) {
      const directory = await persevere(this.#client, () => this.#client.exists(this.path));
      if (directory === undefined || (await persevere(this.#client, () => this.#client.exists(place.path))) === undefined) return undefined;
      const round = await this.#readRound();
      if (round !== undefined && this.#isOf(round, place)) return round;
      const refusal = await this.#refusalOf([
        { op: 'check', path: this.path, version: directory.version },
        { op: 'delete', path: place.path },
      ]);
      if (refusal === undefined) return undefined;
    }
  }

  /** The keeper's end of a round: after that of all others. */
  async #keep(round: Round, place: Place, options: CallOptions): Promise<void> {
    for (;;) {
      const others = (await this.#membersOf(round, options)).filter(({ name }) => name !== place.name);
      const last = others.at(-1);
      if (last === undefined) break;
      await this.#posts.gone(joinPath(this.path, last.name), options);
    }
    const refusal = await this.#close(round, [{ op: 'delete', path: place.path }]);
    if (refusal !== undefined) await this.#line.leave(place);
  }

  /** Everybody else's: when `ready` is gone. Where the keeper is gone and it is not, he has died, and whoever finds no member any more removes it. */
  async #end(round: Round, options: CallOptions): Promise<void> {
    for (let first = round.keeper; ; ) {
      await firstOf(options, [(bounds) => this.#posts.gone(this.#ready, bounds), (bounds) => this.#posts.gone(first, bounds)]);
      if ((await this.#readRound(options))?.version !== round.version) return;
      const next = (await this.#membersOf(round, options))[0];
      if (next === undefined) return void (await this.#close(round, []));
      first = joinPath(this.path, next.name);
    }
  }

  async #membersOf(round: Round, options: CallOptions): Promise<Member<'member'>[]> {
    return (await this.#line.members(options)).filter(({ number }) => number <= round.last);
  }

  #isOf(round: Round, place: Place): boolean {
    return place.number <= round.last;
  }

  async #readRound(options?: CallOptions): Promise<Round | undefined> {
    try {
      const { data } = await persevere(this.#client, () => this.#client.getData(this.#ready, options), options);
      return JSON.parse(decodeUtf8(data)) as Round;
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }

  #close(round: Round, operations: readonly Operation[]): Promise<string | undefined> {
    return this.#refusalOf([{ op: 'check', path: this.path, version: round.version }, ...operations, { op: 'delete', path: this.#ready }]);
  }

  /** Performs a multi that may be repeated; what refuses it, which is something that others have done, or an earlier attempt. */
  async #refusalOf(operations: readonly Operation[]): Promise<'NO_NODE' | 'NODE_EXISTS' | 'BAD_VERSION' | undefined> {
    try {
      await persevere(this.#client, () => this.#client.multi(operations));
      return undefined;
    } catch (error) {
      if (error instanceof MultiError && (error.code === 'NO_NODE' || error.code === 'NODE_EXISTS' || error.code === 'BAD_VERSION'))
        return error.code;
      throw error;
    }
  }
}
