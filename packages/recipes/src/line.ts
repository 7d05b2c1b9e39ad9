/**
 * A line of those who wait for their turn: ephemeral sequential znodes in one directory, as in ZooKeeper's recipe for locks, named as Curator names
 * them (`_c_…-lock-0000000007`).
 *
 * Invariant: who stands before somebody never comes after him, and nobody new comes before him. So what a lagging server shows is good enough: it may show
 * somebody who has left already, and never misses one who stands there.
 *
 * The numbers end at 2147483647. From there on an Apache server gives the same one again and again, some negative ones among them, so that nobody knows who came first (ours count on
 * from −2147483648). Whoever is given one of those leaves at once, so the line gets empty, the ensemble removes its directory, which is a container, and the next one begins at 0.
 */
import { type CallOptions, type Client, type Data, isFinal, type WatchOptions } from '@quorate/client';
import { baseNameOf, CreateMode, isZooKeeperError, joinPath, type Zxid } from '@quorate/protocol';
import { withParents, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { RecipeError } from './recipe-error.js';

/** The first number that may be given twice. */
const NUMBER_MAX = 2 ** 31 - 1;

/** A place in the line. */
export interface Place {
  readonly name: string;
  readonly path: string;
  /** The txn that made it: later places have greater ones. */
  readonly czxid: Zxid;
  /** The number in the name. */
  readonly number: number;
}

/** Somebody in the line. */
export interface Member<Kind extends string> {
  readonly name: string;
  readonly kind: Kind;
  /** The number in the name. */
  readonly number: number;
}

export class Line<Kind extends string> {
  readonly directory: string;
  readonly #client: Client;
  readonly #pattern: RegExp;
  readonly #options: ZnodeOptions;

  /** @param kinds the words between the prefix and the number in a name; other znodes in the directory do not stand in the line. */
  constructor(client: Client, directory: string, kinds: readonly Kind[], options: ZnodeOptions = {}) {
    this.#client = client;
    this.directory = directory;
    this.#pattern = new RegExp(String.raw`^(?:_c_[0-9a-f-]+-)?(${kinds.join('|')})-(\d{10})$`);
    this.#options = options;
  }

  /**
   * Takes the last place. It is kept until it is left, or the session ends.
   *
   * @throws RecipeError OUT_OF_RANGE where the numbers are used up.
   */
  async join(kind: Kind, data: Data | undefined, options?: CallOptions): Promise<Place> {
    // From the first time that somebody asks for the lease only a leader's answers renew it; before, a server's that has lost its leader do too. So it is asked for before
    // there is anything to hold, and what is answered meanwhile, by a server that lags, does not count.
    void this.#client.leaseSignal;
    const mode = CreateMode.EPHEMERAL_SEQUENTIAL;
    const path = joinPath(this.directory, `${kind}-`);
    const create = (): Promise<{ path: string; stat: { czxid: Zxid } }> =>
      this.#client.create(path, data, { mode, protected: true, ...this.#options, ...options });
    const created = await withParents(this.#client, this.directory, create, { ...this.#options, ...options });
    const name = baseNameOf(created.path);
    const number = this.#parse(name)?.number ?? NUMBER_MAX;
    const place = { name, path: created.path, czxid: created.stat.czxid, number };
    if (number < NUMBER_MAX) return place;
    await this.leave(place);
    const message = `the numbers of ${this.directory} are used up: they begin anew once it is empty and the ensemble has removed it, which takes about a minute`;
    throw new RecipeError('OUT_OF_RANGE', message);
  }

  /**
   * Joins, and leaves again where `turn` gives nothing.
   *
   * @param turn what is done with the place.
   */
  async stand<T>(kind: Kind, data: Data | undefined, turn: (place: Place) => Promise<T>, options?: CallOptions): Promise<T> {
    const place = await this.join(kind, data, options);
    let result: T;
    try {
      result = await turn(place);
    } catch (error) {
      // Its caller need not wait for that, and where it fails the session's end does it.
      this.leave(place).catch(() => {});
      throw error;
    }
    if (result === undefined) await this.leave(place);
    return result;
  }

  /**
   * Who stands before a place of this session, the first one first.
   *
   * @throws RecipeError LOST where the place is not there any more.
   */
  async before(place: Place, options?: WatchOptions): Promise<Member<Kind>[]> {
    const members = await this.members(options);
    const index = members.findIndex(({ name }) => name === place.name);
    if (index < 0) throw new RecipeError('LOST', `${place.path} was removed by somebody else`);
    return members.slice(0, index);
  }

  /** All who stand in the line, the first one first. */
  async members(options?: WatchOptions): Promise<Member<Kind>[]> {
    const children = await this.#names(options);
    const members: Member<Kind>[] = [];
    for (const name of children) {
      const member = this.#parse(name);
      if (member !== undefined) members.push(member);
    }
    return members.sort((a, b) => a.number - b.number);
  }

  async #names(options: WatchOptions | undefined): Promise<readonly string[]> {
    try {
      return (await persevere(this.#client, () => this.#client.getChildren(this.directory, options), options)).children;
    } catch (error) {
      // Nobody stands in a line that is not there.
      if (isZooKeeperError(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  /** Gives a place up, however often that takes. Where the session has ended, so has the place. */
  async leave(place: Place): Promise<void> {
    try {
      await persevere(this.#client, () => this.#client.delete(place.path));
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE') && !isFinal(this.#client.state)) throw error;
    }
  }

  #parse(name: string): Member<Kind> | undefined {
    const [, kind, number] = this.#pattern.exec(name) ?? [];
    return kind === undefined ? undefined : { name, kind: kind as Kind, number: Number(number) };
  }
}
