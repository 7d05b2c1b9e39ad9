/** Clients whom the flood must not harm: each has a session and an ephemeral, reads and writes all the time, and notes how long it waits for its answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@quorate/client';
import { connect } from '@quorate/node';
import { CreateMode } from 'quorate';

export const LOYAL_TIMEOUT_MS = 6_000;
const PAUSE_MS = 250;
/** Of so many, one writes and the others read. */
const WRITER_IN = 5;

/** Waits, in milliseconds. */
export interface Waits {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

export class Loyal {
  readonly #client: Client;
  readonly #path: string;
  readonly #writes: boolean;
  #runs: Promise<void> | undefined;
  #isRunning = true;
  #waitsMs: number[] = [];
  #fault: string | undefined;

  private constructor(client: Client, path: string, writes: boolean) {
    this.#client = client;
    this.#path = path;
    this.#writes = writes;
  }

  static async connect(address: string, number: number): Promise<Loyal> {
    const client = await connect(address, { sessionTimeoutMs: LOYAL_TIMEOUT_MS });
    const path = `/loyal-${number}`;
    await client.create(path, '', { mode: CreateMode.EPHEMERAL });
    const loyal = new Loyal(client, path, number % WRITER_IN === 0);
    loyal.#runs = loyal.#run();
    return loyal;
  }

  /** What it has waited since this was asked last. */
  takeWaits(): readonly number[] {
    return this.#waitsMs.splice(0);
  }

  /** What it has suffered; undefined for nothing. */
  async end(): Promise<string | undefined> {
    this.#isRunning = false;
    await this.#runs;
    const stat = await this.#client.exists(this.#path).catch(() => undefined);
    if (stat?.ephemeralOwner !== this.#client.sessionId) this.#fault ??= `the session of ${this.#path} has expired`;
    await this.#client.close();
    return this.#fault;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const askedAt = performance.now();
      try {
        await (this.#writes ? this.#client.setData(this.#path, String(askedAt)) : this.#client.exists(this.#path));
      } catch (error) {
        // It has done nothing for which a server may end a connection.
        this.#fault ??= `${this.#path}: ${(error as Error).message}`;
      }
      this.#waitsMs.push(performance.now() - askedAt);
      await sleep(PAUSE_MS);
    }
  }
}

export function waitsOf(all: readonly Loyal[]): Waits {
  const waits = all.flatMap((loyal) => loyal.takeWaits()).sort((a, b) => a - b);
  const at = (share: number): number => waits[Math.ceil(share * waits.length) - 1] ?? 0;
  return { count: waits.length, p50: at(0.5), p99: at(0.99), longest: at(1) };
}
