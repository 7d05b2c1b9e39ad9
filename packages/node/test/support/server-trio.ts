/** Three servers in this process over a transport, each with a port for clients; and what every such ensemble has to do. */
import { realClock } from '@quorate/ports';
import { MemoryStorage, Server, type Transport } from '@quorate/server';
import type { Sid } from '@quorate/zab';
import { CreateMode } from 'quorate';
import { expect } from 'vitest';
import { connect, type Listener, listen } from '../../src/index.js';
import { CONFIG, until, VOTERS } from './peer-world.js';

const TICK_TIME_MS = 200;

export class ServerTrio {
  readonly servers = new Map<Sid, Server>();
  readonly failures: Error[] = [];
  readonly #stores = new Map(VOTERS.map((sid) => [sid, new MemoryStorage({ clock: realClock }).format({ ensembleId: 'test' })]));
  readonly #listeners = new Map<Sid, Listener>();
  readonly #transport: (sid: Sid) => Promise<Transport>;
  readonly #closers: (() => unknown)[] = [];

  private constructor(transport: (sid: Sid) => Promise<Transport>) {
    this.#transport = transport;
  }

  /** @param transport makes that of a server, for each of its lives. */
  static async start(transport: (sid: Sid) => Promise<Transport>): Promise<ServerTrio> {
    const trio = new ServerTrio(transport);
    for (const sid of VOTERS) await trio.start(sid);
    return trio;
  }

  async start(sid: Sid): Promise<void> {
    const server = new Server({
      ...{ sid, config: CONFIG, storage: this.#stores.get(sid) as MemoryStorage, transport: await this.#transport(sid) },
      ...{ clock: realClock, tickTimeMs: TICK_TIME_MS, initLimit: 10, syncLimit: 4 },
      ...{ minSessionTimeoutMs: 4_000, maxSessionTimeoutMs: 60_000, onFailure: (error: Error) => this.failures.push(error) },
    });
    server.start();
    this.servers.set(sid, server);
    this.#listeners.set(sid, await listen({ accept: (link) => server.accept(link) }, { port: 0 }));
  }

  async stop(sid: Sid): Promise<void> {
    this.servers.get(sid)?.stop();
    this.servers.delete(sid);
    await this.#listeners.get(sid)?.close();
    this.#listeners.delete(sid);
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
    for (const sid of [...this.servers.keys()]) await this.stop(sid);
  }

  get leader(): Sid | undefined {
    for (const [sid, { status }] of this.servers) if (status.state === 'LEADING' && status.serving) return sid;
    return undefined;
  }

  /** A client that knows all servers that run. */
  async client() {
    const hosts = [...this.#listeners.values()].map(({ address }) => address).join();
    const client = await connect(hosts, { sessionTimeoutMs: 20_000 });
    this.#closers.push(() => client.close().catch(() => {}));
    return client;
  }

  async serves(): Promise<void> {
    await until(() => this.leader !== undefined && [...this.servers.values()].every(({ status }) => status.serving));
  }

  /** Every server that runs has applied the same. */
  async expectAgreement(): Promise<void> {
    await this.serves();
    const all = [...this.servers.values()];
    await until(() => all.every(({ lastZxid }) => lastZxid === all[0]?.lastZxid));
    const digests = all.map(({ tree }) => `${tree.digest?.high} ${tree.digest?.low}`);
    expect(new Set(digests).size).toBe(1);
    expect(this.failures).toEqual([]);
  }
}

/** Elects, writes, loses its leader, goes on, and takes the lost one back. */
export async function live(ensemble: ServerTrio): Promise<void> {
  await ensemble.serves();
  const client = await ensemble.client();
  await client.create('/a', 'one');
  await Promise.all(Array.from({ length: 200 }, (_, i) => client.create(`/a/${i}`, new Uint8Array(i))));
  const { session } = client;
  const lost = ensemble.leader as Sid;
  await ensemble.stop(lost);
  await until(() => ensemble.leader !== undefined);
  await client.connected();
  expect(client.session?.id).toBe(session?.id);
  await client.create('/a/e', '', { mode: CreateMode.EPHEMERAL });
  await ensemble.start(lost);
  await ensemble.expectAgreement();
  expect((await client.getChildren('/a')).children.length).toBe(201);
}
