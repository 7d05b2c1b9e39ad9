/** The parts of a scenario and the processes that play them: their lives, their misfortunes, and the record of it all. */
import { Client, type Connector, isFinal } from '@quorate/client';
import type { Clock, Random, Timer } from '@quorate/ports';
import { isZooKeeperError } from '@quorate/protocol';
import type { Verdict } from '../check/verdict.js';
import { millis, type RandomStreams } from '../world/random-streams.js';
import { ActorProcess } from './actor-process.js';
import { ActorWire, type Fate } from './actor-wire.js';
import type { Actor, CastOptions, Part, Stage } from './stage.js';

/** Where a cast plays. */
export interface Setting {
  readonly clock: Clock;
  readonly streams: RandomStreams;
  readonly verdict: Verdict;
  readonly sessionTimeoutMs: number;
  /** The way of an actor to the servers. */
  connector(id: string): Connector;
  /** Ends the session of a client as if that had been silent for too long; false where that cannot be done. */
  expire(client: Client): boolean;
  /** Code of an actor has run, so that promises may wait for their turn. */
  stirred(): void;
  note(text: string): void;
}

/** Which request of which part is lost, and how. */
export interface Interruption {
  readonly part: string;
  /** Counted from 1, over all lives. */
  readonly request: number;
  readonly fate: Exclude<Fate, 'pass'>;
  /** Whether the session is ended as well. */
  readonly expires: boolean;
}

/** Why `over` aborts. */
const OVER = new Error('the play is over');

/** How long until a part is played again, in session timeouts. */
const REST = 0.2;

export class Cast implements Stage {
  readonly random: Random;
  readonly #setting: Setting;
  readonly #roles: Role[] = [];
  #isOver = false;
  readonly #seen = new Map<string, number>();
  interruption: Interruption | undefined;
  /** Called when an actor tempts fate. */
  onTempted: ((role: Role) => void) | undefined;
  /** Called at each failure. */
  onFailure: (() => void) | undefined;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.random = setting.streams.stream('scenario');
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get sessionTimeoutMs(): number {
    return this.#setting.sessionTimeoutMs;
  }

  /** Parts that something may befall. */
  get roles(): readonly Role[] {
    return this.#roles.filter(({ options }) => options.unharmed !== true);
  }

  /** Parts that have not come to their end. */
  get unfinished(): readonly string[] {
    return this.#roles.filter(({ hasEnded }) => !hasEnded).map(({ id }) => id);
  }

  /** How many requests each part has sent. */
  get requests(): ReadonlyMap<string, number> {
    return new Map(this.roles.map(({ name, requests }) => [name, requests]));
  }

  get conditions(): readonly (readonly [condition: string, count: number])[] {
    return [...this.#seen];
  }

  now(): number {
    return this.#setting.clock.now();
  }

  cast(name: string, part: Part, options: CastOptions = {}): Promise<void> {
    const role = new Role({ name, part, options, setting: this.#setting, stage: this });
    this.#roles.push(role);
    return role.play();
  }

  fail(property: string, message: string): void {
    this.note(`** ${property}: ${message}`);
    this.#setting.verdict.fail(property, message);
    this.onFailure?.();
  }

  note(text: string): void {
    this.#setting.note(text);
  }

  seen(condition: string): void {
    this.#seen.set(condition, (this.#seen.get(condition) ?? 0) + 1);
  }

  /** Everybody goes on, and comes to an end. */
  end(): void {
    this.note('over');
    this.#isOver = true;
    for (const role of this.#roles) role.wind();
  }

  /** Takes everybody off the stage. */
  clear(): void {
    for (const role of this.#roles) role.leave();
  }
}

interface RoleOptions {
  readonly name: string;
  readonly part: Part;
  readonly options: CastOptions;
  readonly setting: Setting;
  readonly stage: Cast;
}

/** One part, through all its lives. */
export class Role {
  readonly #name: string;
  readonly #part: Part;
  readonly options: CastOptions;
  readonly #setting: Setting;
  readonly #stage: Cast;
  #life = 0;
  #requests = 0;
  #process: ActorProcess | undefined;
  #over = new AbortController();
  #wire: ActorWire | undefined;
  #clients: Client[] = [];
  #thaw: Timer | undefined;
  #unhush: Timer | undefined;
  #hasEnded = false;
  #finish!: () => void;

  constructor({ name, part, options, setting, stage }: RoleOptions) {
    this.#name = name;
    this.#part = part;
    this.options = options;
    this.#setting = setting;
    this.#stage = stage;
  }

  get id(): string {
    return `${this.#name}#${this.#life}`;
  }

  get name(): string {
    return this.#name;
  }

  /** How many requests it has sent, in all its lives. */
  get requests(): number {
    return this.#requests;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  play(): Promise<void> {
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#begin();
    });
  }

  // What befalls it

  cut(): void {
    if (this.#process === undefined) return;
    this.#stage.note(`${this.id} loses its connections`);
    this.#wire?.cut();
  }

  /** The network loses sight of it. */
  hush(ms: number): void {
    const wire = this.#wire;
    if (this.#process === undefined || wire === undefined) return;
    this.#stage.note(`${this.id} is cut off`);
    wire.hush();
    this.#unhush = this.#setting.clock.setTimer(ms, () => this.unhush());
  }

  unhush(): void {
    this.#unhush?.cancel();
    this.#wire?.unhush();
  }

  freeze(ms: number): void {
    const process = this.#process;
    if (process === undefined || process.isPaused) return;
    this.#stage.note(`${this.id} stands still`);
    process.pause();
    this.#thaw = this.#setting.clock.setTimer(ms, () => this.thaw());
  }

  thaw(): void {
    this.#thaw?.cancel();
    if (this.#process?.isPaused !== true) return;
    this.#stage.note(`${this.id} goes on`);
    this.#process.resume();
  }

  /** It is to come to its end. */
  wind(): void {
    this.unhush();
    this.thaw();
    const over = this.#over;
    this.#process?.enter(() => over.abort(OVER));
  }

  die(): void {
    if (this.#process === undefined) return;
    this.#stage.note(`${this.id} dies`);
    this.leave();
    this.#rest();
  }

  expire(): void {
    for (const client of this.#clients)
      if (this.#setting.expire(client)) {
        this.#process?.evict();
        this.#stage.note(`a session of ${this.id} is ended`);
      }
  }

  /** Nothing runs in its process any more. */
  leave(): void {
    this.#thaw?.cancel();
    this.#process?.end();
    this.#wire?.vanish();
    // What it had sent is on its way still.
    this.unhush();
    this.#process = undefined;
    this.#clients = [];
  }

  // Its lives

  #rest(): void {
    const random = this.#setting.streams.stream(`rest ${this.id}`);
    this.#setting.clock.setTimer(millis(random, 0, REST * this.#setting.sessionTimeoutMs), () => this.#begin());
  }

  #begin(): void {
    this.#life++;
    const { id } = this;
    const { clock, streams } = this.#setting;
    const process = new ActorProcess(clock, () => this.#setting.stirred());
    const wire = new ActorWire({
      inner: this.#setting.connector(id),
      process,
      fateOf: () => this.#fateOf(),
      onInjury: () => {
        this.#stage.note(`${id} is interrupted`);
        if (this.#stage.interruption?.expires === true) this.expire();
      },
    });
    this.#process = process;
    this.#wire = wire;
    this.#clients = [];
    this.#over = new AbortController();
    if (this.#stage.isOver) this.#over.abort(OVER);
    const connect = (): Promise<Client> => this.#connect(id, process, wire);
    void this.#live(
      new Life({
        id,
        process,
        random: streams.stream(`actor ${id}`),
        over: this.#over.signal,
        connect,
        tempt: () => this.#stage.onTempted?.(this),
      }),
    );
  }

  async #live(life: Life): Promise<void> {
    try {
      life.client = await life.connect();
      this.#stage.note(`${life.id} begins`);
      await this.#part(life);
      await life.client.close();
      if (life.diedAtMs !== undefined) return;
      this.#stage.note(`${life.id} has ended`);
      this.#hasEnded = true;
      this.leave();
      this.#finish();
    } catch (error) {
      if (life.diedAtMs === undefined) this.#onError(error, life);
    }
  }

  #onError(error: unknown, { client }: Life): void {
    // Where the session ends, what was under way is told of the lost connection.
    const hasExpired = isZooKeeperError(error) && (client === undefined || isFinal(client.state));
    if (!hasExpired) {
      this.#stage.fail('UnexpectedException', `${this.id}: ${(error as Error).stack ?? String(error)}`);
      return;
    }
    this.#stage.note(`${this.id} has lost its session`);
    this.leave();
    this.#rest();
  }

  async #connect(id: string, process: ActorProcess, wire: ActorWire): Promise<Client> {
    const { streams, sessionTimeoutMs } = this.#setting;
    const client = new Client({
      connector: wire,
      clock: process,
      random: streams.stream(`client ${id} ${this.#clients.length}`),
      sessionTimeoutMs,
      ...this.options.client,
    });
    this.#clients.push(client);
    await client.connected();
    return client;
  }

  #fateOf(): Fate {
    const { interruption } = this.#stage;
    this.#requests++;
    return interruption?.part === this.#name && interruption.request === this.#requests ? interruption.fate : 'pass';
  }
}

/** What a part sees of itself. */
class Life implements Actor {
  readonly id: string;
  readonly random: Random;
  readonly over: AbortSignal;
  readonly connect: () => Promise<Client>;
  readonly tempt: () => void;
  client!: Client;
  readonly #process: ActorProcess;

  constructor(options: {
    readonly id: string;
    readonly process: ActorProcess;
    readonly random: Random;
    readonly over: AbortSignal;
    readonly connect: () => Promise<Client>;
    readonly tempt: () => void;
  }) {
    this.id = options.id;
    this.random = options.random;
    this.over = options.over;
    this.connect = options.connect;
    this.tempt = options.tempt;
    this.#process = options.process;
  }

  get name(): string {
    return this.id.slice(0, this.id.lastIndexOf('#'));
  }

  get diedAtMs(): number | undefined {
    return this.#process.endedAtMs;
  }

  get evictedAtMs(): number | undefined {
    return this.#process.evictedAtMs;
  }

  get frozenAtMs(): number | undefined {
    return this.#process.pausedAtMs;
  }

  readonly pause = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#process.setTimer(ms, end);
      signal?.addEventListener('abort', end);
    });
}
