/** Clients that write all the time and keep what was acknowledged to them. */
import type { Client } from '@quorate/client';
import { connect } from '@quorate/node';
import { isZooKeeperError } from '@quorate/protocol';
import { CreateMode } from 'quorate';

/** Far longer than a restart: no session may end. */
export const SESSION_TIMEOUT_MS = 60_000;
/** Creates that a writer has under way. */
const CREATES = 4;

/** Znodes that were created below one folder. */
export interface Created {
  readonly asked: Set<string>;
  readonly acknowledged: Set<string>;
}

export interface Counts {
  acknowledged: number;
  /** Their connection ended before the answer. */
  unknown: number;
}

/** One session: a znode with a number that grows, an ephemeral that stays, and znodes with names of their own. */
export class Writer {
  readonly name: string;
  readonly client: Client;
  /** The number that was asked for last, and the one that was acknowledged last. */
  asked = 0;
  acknowledged = 0;
  readonly #load: Load;
  #serial = 0;

  private constructor(name: string, client: Client, load: Load) {
    this.name = name;
    this.client = client;
    this.#load = load;
  }

  static async connect(name: string, hosts: string, load: Load): Promise<Writer> {
    const writer = new Writer(name, await connect(hosts, { sessionTimeoutMs: SESSION_TIMEOUT_MS }), load);
    await writer.client.create(writer.numberPath, '0');
    await writer.client.create(writer.ephemeralPath, '', { mode: CreateMode.EPHEMERAL });
    return writer;
  }

  get numberPath(): string {
    return `/numbers/${this.name}`;
  }

  get ephemeralPath(): string {
    return `/alive/${this.name}`;
  }

  /** Until the load stops. */
  async run(): Promise<void> {
    await Promise.all([this.#count(), ...Array.from({ length: CREATES }, () => this.#create())]);
  }

  async #count(): Promise<void> {
    while (this.#load.isRunning) {
      const number = ++this.asked;
      if (await this.#load.write(this.client.setData(this.numberPath, String(number)))) this.acknowledged = number;
    }
  }

  async #create(): Promise<void> {
    while (this.#load.isRunning) {
      const { folder, created } = this.#load.current;
      const name = `${this.name}-${this.#serial++}`;
      created.asked.add(name);
      if (await this.#load.write(this.client.create(`${folder}/${name}`, name))) created.acknowledged.add(name);
    }
  }
}

export class Load {
  readonly counts: Counts = { acknowledged: 0, unknown: 0 };
  readonly writers: Writer[] = [];
  readonly folders = new Map<string, Created>();
  current: { readonly folder: string; readonly created: Created };
  isRunning = true;
  /** Set when a write was answered with what it cannot be answered with. */
  failure: Error | undefined;
  #runs: Promise<unknown> | undefined;

  private constructor() {
    this.current = { folder: '/', created: { asked: new Set(), acknowledged: new Set() } };
  }

  /** Makes the folders and connects so many writers; `run` lets them write. */
  static async connect(hosts: string, writers: number): Promise<Load> {
    const load = new Load();
    await using client = await connect(hosts);
    for (const path of ['/created', '/numbers', '/alive']) await client.create(path);
    for (let i = 0; i < writers; i++) load.writers.push(await Writer.connect(`w${i}`, hosts, load));
    return load;
  }

  run(): void {
    this.#runs = Promise.all(this.writers.map((writer) => writer.run()));
  }

  /** From now on znodes are created in a folder that there is already. */
  turnTo(folder: string): void {
    this.current = { folder, created: { asked: new Set(), acknowledged: new Set() } };
    this.folders.set(folder, this.current.created);
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.isRunning = false;
    await this.#runs;
  }

  async close(): Promise<void> {
    await Promise.all(this.writers.map(({ client }) => client.close()));
  }

  /** Whether a write was acknowledged. Any other answer than a lost connection ends the load. */
  async write(call: Promise<unknown>): Promise<boolean> {
    try {
      await call;
      this.counts.acknowledged++;
      return true;
    } catch (error) {
      if (isZooKeeperError(error, 'CONNECTION_LOSS')) this.counts.unknown++;
      else this.#fail(error as Error);
      return false;
    }
  }

  #fail(error: Error): void {
    this.failure ??= error;
    this.isRunning = false;
  }
}
