/** One znode that several clients change, each only where it is as they have read it: who was acknowledged at which version is the history that is looked at. */
import type { Client } from '@quorate/client';
import { connect } from '@quorate/node';
import { isZooKeeperError } from '@quorate/protocol';
import { SESSION_TIMEOUT_MS } from '../crash/load.ts';

const PATH = '/contest';
/** Of so many reads, one comes after a sync. */
const SYNC_EVERY = 3;

export class Contest {
  readonly #clients: readonly Client[];
  /** By version: who was told to have made it. */
  readonly #makers = new Map<number, number>();
  /** The highest version of which somebody was told. */
  #told = 0;
  #isRunning = true;
  #runs: Promise<unknown> | undefined;
  readonly faults: string[] = [];

  private constructor(clients: readonly Client[]) {
    this.#clients = clients;
  }

  static async connect(hosts: string, clients: number): Promise<Contest> {
    const contest = new Contest(
      await Promise.all(Array.from({ length: clients }, () => connect(hosts, { sessionTimeoutMs: SESSION_TIMEOUT_MS }))),
    );
    await contest.#clients[0]?.create(PATH);
    contest.#runs = Promise.all(contest.#clients.map((client, number) => contest.#contend(client, number)));
    return contest;
  }

  /** How often somebody was told to have won. */
  get wins(): number {
    return this.#makers.size;
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#runs;
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #contend(client: Client, number: number): Promise<void> {
    let seen = 0;
    for (let read = 0; this.#isRunning; read++) {
      try {
        const synchronized = read % SYNC_EVERY === 0;
        const told = this.#told;
        if (synchronized) await client.sync('/');
        const { version } = (await client.getData(PATH)).stat;
        if (synchronized && version < told)
          this.faults.push(`version ${told} was acknowledged, and later version ${version} read after a sync`);
        if (version < seen) this.faults.push(`one client has read version ${seen}, and later version ${version}`);
        seen = version;
        const made = await client.setData(PATH, String(number), { version });
        this.#won(made.version, number);
        seen = made.version;
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS') && !isZooKeeperError(error, 'BAD_VERSION')) {
          this.faults.push(`a contestant is told ${(error as Error).message}`);
          return;
        }
      }
    }
  }

  #won(version: number, number: number): void {
    const other = this.#makers.get(version);
    if (other !== undefined) this.faults.push(`clients ${other} and ${number} were both told to have made version ${version}`);
    this.#makers.set(version, number);
    this.#told = Math.max(this.#told, version);
  }
}
