/** What each server says after a round: everything acknowledged is there, no number has gone back, no session has ended. */
import type { Client } from '@quorate/client';
import { connect } from '@quorate/node';
import { isZooKeeperError } from '@quorate/protocol';
import type { ServeProcess } from './ensemble.ts';
import { type Created, type Load, SESSION_TIMEOUT_MS, type Writer } from './load.ts';

const LOST_SHOWN = 5;

export class Reader {
  readonly #server: ServeProcess;
  readonly #client: Client;
  /** The greatest number that was read of each writer. */
  readonly #seen = new Map<Writer, number>();

  private constructor(server: ServeProcess, client: Client) {
    this.#server = server;
    this.#client = client;
  }

  /** It knows no other server than this one. */
  static async connect(server: ServeProcess): Promise<Reader> {
    return new Reader(server, await connect(server.address, { sessionTimeoutMs: SESSION_TIMEOUT_MS }));
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** What is wrong with the folders and with all numbers and sessions; nothing where all is well. */
  async faults(load: Load, folders: Iterable<readonly [string, Created]>): Promise<readonly string[]> {
    const expected = load.writers.map((writer) => ({ writer, acknowledged: writer.acknowledged }));
    const created = [...folders].map(([folder, { asked, acknowledged }]) => ({ folder, asked, acknowledged: [...acknowledged] }));
    await again(() => this.#client.sync('/'));
    const faults: string[] = [];
    for (const { folder, asked, acknowledged } of created) {
      const children = await this.#childrenOf(folder);
      if (children === undefined) faults.push(`${folder} is lost, which was acknowledged, with ${acknowledged.length} acknowledged znodes`);
      else faults.push(...compareFolder(folder, { children, asked, acknowledged }));
    }
    for (const { writer, acknowledged } of expected) {
      faults.push(...(await this.#numberFaults(writer, acknowledged)));
      faults.push(...(await this.#sessionFaults(writer)));
    }
    return faults.map((fault) => `server ${this.#server.sid}: ${fault}`);
  }

  /** Undefined where there is no such folder. */
  async #childrenOf(folder: string): Promise<readonly string[] | undefined> {
    try {
      return (await again(() => this.#client.getChildren(folder))).children;
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      return undefined;
    }
  }

  async #numberFaults(writer: Writer, acknowledged: number): Promise<readonly string[]> {
    const { data } = await again(() => this.#client.getData(writer.numberPath));
    const number = Number(Buffer.from(data).toString());
    const seen = this.#seen.get(writer) ?? 0;
    this.#seen.set(writer, number);
    const faults: string[] = [];
    if (number < acknowledged) faults.push(`${writer.numberPath} is ${number}, but ${acknowledged} was acknowledged`);
    if (number < seen) faults.push(`${writer.numberPath} is ${number}, but was ${seen}`);
    if (number > writer.asked) faults.push(`${writer.numberPath} is ${number}, but only ${writer.asked} was asked for`);
    return faults;
  }

  async #sessionFaults(writer: Writer): Promise<readonly string[]> {
    const { client, ephemeralPath, name } = writer;
    if (client.state === 'EXPIRED') return [`the session of ${name} has expired`];
    const stat = await again(() => this.#client.exists(ephemeralPath));
    if (stat?.ephemeralOwner === client.sessionId) return [];
    return [`${ephemeralPath} ${stat === undefined ? 'is gone' : 'has another owner'}, though its session lives`];
  }
}

/** What is lost with its connection is asked again; the bound is the time-out of the session. */
export async function again<T>(ask: (isFirst: boolean) => Promise<T>): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await ask(isFirst);
    } catch (error) {
      if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
    }
  }
}

interface Folder {
  readonly children: readonly string[];
  readonly asked: ReadonlySet<string>;
  readonly acknowledged: readonly string[];
}

function compareFolder(folder: string, { children, asked, acknowledged }: Folder): readonly string[] {
  const there = new Set(children);
  const lost = acknowledged.filter((name) => !there.has(name));
  const strange = children.filter((name) => !asked.has(name));
  const faults: string[] = [];
  if (lost.length > 0) faults.push(`${lost.length} acknowledged znodes of ${folder} are lost: ${lost.slice(0, LOST_SHOWN).join(', ')}`);
  if (strange.length > 0) faults.push(`${folder} has what nobody asked for: ${strange.slice(0, LOST_SHOWN).join(', ')}`);
  return faults;
}
