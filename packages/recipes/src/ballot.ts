/**
 * A decision that is taken once, from what each of a known set of voters says once: what votings and two-phase commits have in common.
 *
 * All that is known stands in one znode, `tally`, which changes by compare-and-set alone. The vote that decides writes the decision too, so that nobody has to live on to take it; the
 * znode `decision`, made by the same txn, is the bell for those who wait. Invariant: a tally with a decision is never changed again.
 */
import type { CallOptions, Client, Data, Operation } from '@quorate/client';
import { type Acl, decodeUtf8, encodeUtf8, isZooKeeperError, joinPath, validatePath } from '@quorate/protocol';
import { beforeDeadline } from './deadline.js';
import { withParents, type ZnodeOptions } from './parents.js';
import { persevere } from './persevere.js';
import { isRecipeError, RecipeError } from './recipe-error.js';
import { Watchpost } from './watchpost.js';

/** What was decided. */
export interface Decision {
  /** What has won; undefined where nothing has. */
  readonly choice?: string | undefined;
  /** Whether time was up before the votes had decided. */
  readonly atDeadline: boolean;
}

/** How votes decide. */
export interface BallotRule {
  /** Undefined where more votes are needed. What it gives must not change by further votes. */
  decide(votes: readonly string[], voters: number): Pick<Decision, 'choice'> | undefined;
  decideAtDeadline(votes: readonly string[]): Pick<Decision, 'choice'>;
}

/** All that is known, as it stands in the znode. */
export interface Tally {
  readonly voters: readonly string[];
  readonly votes: readonly (readonly [voter: string, choice: string])[];
  readonly decision?: Decision;
}

/** Where and until when a decision is waited for. */
export interface DecisionOptions extends CallOptions {
  /** After how long this caller takes the decision with the votes that there are, in milliseconds; never when absent. */
  readonly closeAfterMs?: number | undefined;
}

export class Ballot {
  readonly path: string;
  readonly #client: Client;
  readonly #rule: BallotRule;
  readonly #acl: readonly Acl[] | undefined;
  readonly #posts: Watchpost;

  constructor(client: Client, path: string, rule: BallotRule, { acl }: ZnodeOptions) {
    validatePath(path);
    this.path = path;
    this.#client = client;
    this.#rule = rule;
    this.#acl = acl;
    this.#posts = new Watchpost(client);
  }

  /** Where it is open already, for the same voters and on the same subject, that is well. @throws RecipeError CONFLICT where it is not the same. */
  async open(voters: readonly string[], subject: Data, options?: CallOptions): Promise<void> {
    checkVoters(voters);
    const tally: Tally = { voters: [...voters].sort(), votes: [] };
    const acl = this.#acl;
    const operations: Operation[] = [
      { op: 'create', path: this.#subjectPath, data: subject, acl },
      { op: 'create', path: this.#tallyPath, data: JSON.stringify(tally), acl },
    ];
    const create = (): Promise<unknown> => persevere(this.#client, () => this.#client.multi(operations, options), options);
    try {
      await withParents(this.#client, this.path, create, { acl, ...options });
    } catch (error) {
      if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
      const [{ tally: other }, otherSubject] = await Promise.all([this.read(options), this.subject(options)]);
      if (other.voters.join() !== tally.voters.join() || decodeUtf8(otherSubject) !== textOf(subject))
        throw new RecipeError('CONFLICT', `${this.path} is open already, for other voters or on another subject`);
    }
  }

  /** Waits until it is open. */
  async subject(options?: CallOptions): Promise<Uint8Array> {
    await this.#rings(this.#tallyPath, options);
    return (await persevere(this.#client, () => this.#client.getData(this.#subjectPath, options), options)).data;
  }

  /**
   * Says something once and for all; saying the same again changes nothing.
   *
   * @throws RecipeError CONFLICT for who has no vote, has said something else, or comes after the decision; ZooKeeperError NO_NODE where it is not open.
   */
  async cast(voter: string, choice: string, options?: CallOptions): Promise<void> {
    await this.#change((tally) => {
      const { voters, votes, decision } = tally;
      if (!voters.includes(voter)) throw new RecipeError('CONFLICT', `${voter} has no vote at ${this.path}: ${voters.join(', ')} have`);
      const earlier = votes.find(([who]) => who === voter)?.[1];
      if (earlier === choice) return undefined;
      if (earlier !== undefined) throw new RecipeError('CONFLICT', `${voter} has said ${earlier} already at ${this.path}`);
      if (decision !== undefined) throw new RecipeError('CONFLICT', `${this.path} was decided without ${voter}`);
      const all = [...votes, [voter, choice] as const];
      const decided = this.#rule.decide(choicesOf(all), voters.length);
      return { voters, votes: all, ...(decided && { decision: { ...decided, atDeadline: false } }) };
    }, options);
  }

  /** Waits for the decision, and takes it where time is up. */
  async decision({ signal, closeAfterMs }: DecisionOptions = {}): Promise<Tally & { readonly decision: Decision }> {
    try {
      await beforeDeadline(this.#client, `waiting for a decision at ${this.path}`, { signal, timeoutMs: closeAfterMs }, (bounds) =>
        this.#rings(this.#bellPath, bounds),
      );
    } catch (error) {
      if (!isRecipeError(error, 'TIMEOUT') || signal?.aborted) throw error;
      await this.#close({ signal });
    }
    const { tally } = await this.read({ signal });
    return tally as Tally & { readonly decision: Decision };
  }

  /** What there is so far. @throws ZooKeeperError NO_NODE where it is not open. */
  async read(options?: CallOptions): Promise<{ readonly tally: Tally; readonly version: number }> {
    const { data, stat } = await persevere(this.#client, () => this.#client.getData(this.#tallyPath, options), options);
    return { tally: JSON.parse(decodeUtf8(data)) as Tally, version: stat.version };
  }

  #close(options: CallOptions): Promise<void> {
    return this.#change(({ voters, votes, decision }) => {
      if (decision !== undefined) return undefined;
      return { voters, votes, decision: { ...this.#rule.decideAtDeadline(choicesOf(votes)), atDeadline: true } };
    }, options);
  }

  /** Changes the tally as `next` says, from whatever it is, until it is changed or there is nothing to change. */
  async #change(next: (tally: Tally) => Tally | undefined, options: CallOptions | undefined): Promise<void> {
    for (;;) {
      const { tally, version } = await this.read(options);
      const changed = next(tally);
      if (changed === undefined) return;
      try {
        await this.#client.multi(this.#operations(changed, version), options);
        return;
      } catch (error) {
        // Somebody was faster, or it is not known: what is there now says what is to be done.
        if (!isZooKeeperError(error, 'BAD_VERSION') && !isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
      }
      await persevere(this.#client, () => this.#client.sync(this.path, options), options);
    }
  }

  #operations(tally: Tally, version: number): Operation[] {
    const change: Operation = { op: 'setData', path: this.#tallyPath, data: JSON.stringify(tally), version };
    if (tally.decision === undefined) return [change];
    return [change, { op: 'create', path: this.#bellPath, acl: this.#acl }];
  }

  async #rings(path: string, options: CallOptions | undefined): Promise<void> {
    await this.#posts.until(
      path,
      (watch) => this.#client.exists(path, { ...options, watch }),
      (stat) => stat !== undefined,
      options,
    );
  }

  get #subjectPath(): string {
    return joinPath(this.path, 'subject');
  }

  get #tallyPath(): string {
    return joinPath(this.path, 'tally');
  }

  get #bellPath(): string {
    return joinPath(this.path, 'decision');
  }
}

function choicesOf(votes: Tally['votes']): string[] {
  return votes.map(([, choice]) => choice);
}

function checkVoters(voters: readonly string[]): void {
  if (!Array.isArray(voters) || voters.length === 0 || voters.some((voter) => typeof voter !== 'string'))
    throw new TypeError('voters must be an array of at least one string');
  if (new Set(voters).size < voters.length) throw new TypeError('voters must have names of their own');
}

function textOf(data: Data): string {
  return decodeUtf8(typeof data === 'string' ? encodeUtf8(data) : data);
}
