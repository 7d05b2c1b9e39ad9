/**
 * A stage for programs that use clients: recipes, and applications of one's own.
 *
 * A *scenario* is written once, as a function of a `Stage`. It casts *parts*: each is a program that is played by a process of its own with a client of its own. The stage sees to it that
 * things go wrong: connections are cut or go silent, processes stand still until long after their session, or die, servers crash and are partitioned. A part that has died, or whose
 * session has ended, is played again from its beginning by a new process, until one of its lives returns.
 *
 * The same scenario is played
 * - by `rehearse`: simulated servers under simulated weather in virtual time; the same seed does the same again;
 * - by `interrupt`: without weather, once for each request that a part sends, with the connection cut or the session ended at that request, before it was performed or after;
 * - by `perform`: by the real clock against servers that are reached over a `Connector`, Apache ZooKeeper's for instance.
 *
 * What a scenario has to keep to: it takes time and chance from the stage and the actor alone; awaits nothing but the library, `actor.pause` and what these lead to; ends soon after
 * `actor.over` has aborted; and says by `stage.fail` what did not hold. What a dead process would do is not done: its promises stay pending for ever.
 *
 * @example
 * export const counting: Scenario = {
 *   name: 'counting',
 *   async play(stage) {
 *     let added = 0;
 *     await Promise.all(['a', 'b', 'c'].map((name) => stage.cast(name, async ({ client, over, pause }) => {
 *       const counter = new Counter(client, '/count');
 *       while (!over.aborted) {
 *         await counter.add(1);
 *         added++;
 *         await pause(5);
 *       }
 *     })));
 *     await stage.cast('judge', async ({ client }) => {
 *       const value = await new Counter(client, '/count').get();
 *       if (value < added) stage.fail('NoLostUpdate', `the counter is ${value} after ${added} additions`);
 *     }, { unharmed: true });
 *   },
 * };
 */
import type { Client, ClientOptions } from '@quorate/client';
import type { Random } from '@quorate/ports';

export interface Scenario {
  /** Of one word, for the command line. */
  readonly name: string;
  play(stage: Stage): Promise<void>;
}

export interface Stage {
  /** For what the scenario itself decides. */
  readonly random: Random;
  /** The session timeout that clients ask for, in milliseconds. Most of what goes wrong lasts for a part of it, some for more. */
  readonly sessionTimeoutMs: number;
  /** Milliseconds, of the world; no actor stands still in it. */
  now(): number;
  /** Plays a part. Resolves when one of its lives has returned; does not when the stage has failed. */
  cast(name: string, part: Part, options?: CastOptions): Promise<void>;
  /** Something did not hold. The first failure counts; the stage stops. */
  fail(property: string, message: string): void;
  /** Puts something into the record, which a failure shows and the hash of a rehearsal covers. */
  note(text: string): void;
  /** Counts something that ought to happen somewhere among many seeds; the tests see to it that it has. */
  seen(condition: string): void;
}

/** A program. What it throws is a failure, unless its session has ended: then it is played again. */
export type Part = (actor: Actor) => Promise<void>;

export interface CastOptions {
  /** Whether nothing befalls this process itself; false when absent. Servers fail all the same. */
  readonly unharmed?: boolean | undefined;
  /** What its clients are made with, besides what the stage gives them. */
  readonly client?: Partial<ClientOptions> | undefined;
}

/** One life of a part. */
export interface Actor {
  readonly name: string;
  /** Of this life, `name` and a number: `a#2`. */
  readonly id: string;
  /** Connected. Closed when the part returns. */
  readonly client: Client;
  readonly random: Random;
  /** Aborts when nothing goes wrong any more and the part is to come to its end. */
  readonly over: AbortSignal;
  /** When the process has died, by the clock of the stage; undefined while it lives. */
  readonly diedAtMs: number | undefined;
  /** When the stage has ended a session of this life although it was alive, as an operator may: no lease holds against that. Undefined where it has not. */
  readonly evictedAtMs: number | undefined;
  /** When the process has stood still last, or began to; undefined where it never has. */
  readonly frozenAtMs: number | undefined;
  /** Waits, by the clock of the process, also for `signal`: it does not reject then. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** Says that it would be bad if something befell this process about now: then it does more often. */
  tempt(): void;
  /** A further client of the same process, connected; the caller closes it. */
  connect(): Promise<Client>;
}
