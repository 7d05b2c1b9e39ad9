import { VirtualClock } from '@quorate/ports';
import { type Config, type Effect, MemoryNetwork, MemoryStorage, type Sid } from '@quorate/zab';
import { type ClientLink, Server, type ServerOptions } from '../../src/index.ts';
import { RecordedClient } from './recorded-client.ts';

export const TICK_MS = 100;

/** Servers joined in memory under virtual time. */
export class TestEnsemble {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly servers = new Map<Sid, Server>();
  readonly failures: Error[] = [];
  readonly #config: Config;
  readonly #storages = new Map<Sid, MemoryStorage>();
  readonly #options: Partial<ServerOptions>;
  onEffect: ((sid: Sid, effect: Effect) => void) | undefined;

  constructor(size = 3, options: Partial<ServerOptions> = {}, clock = new VirtualClock()) {
    this.clock = clock;
    this.network = new MemoryNetwork({ clock });
    this.#options = options;
    const voters = Array.from({ length: size }, (_, index) => index + 1);
    this.#config = { version: 0, voters };
    for (const sid of voters) this.start(sid);
  }

  start(sid: Sid): Server {
    const storage = this.#storages.get(sid) ?? new MemoryStorage({ clock: this.clock }).format({ ensembleId: 'test' });
    this.#storages.set(sid, storage);
    const server = new Server({
      sid,
      config: this.#config,
      transport: this.network.transport(sid),
      storage,
      clock: this.clock,
      tickTimeMs: TICK_MS,
      onFailure: (error) => this.failures.push(error),
      onEffect: (effect) => this.onEffect?.(sid, effect),
      ...this.#options,
    });
    this.servers.set(sid, server);
    server.start();
    return server;
  }

  crash(sid: Sid): void {
    this.server(sid).stop();
    this.servers.delete(sid);
  }

  server(sid: Sid): Server {
    const server = this.servers.get(sid);
    if (server === undefined) throw new Error(`server ${sid} is down`);
    return server;
  }

  run(ms: number): void {
    this.clock.advance(ms);
    if (this.failures[0] !== undefined) throw this.failures[0];
  }

  /** Lets all messages that are under way arrive, without time passing. */
  settle(): void {
    while (this.clock.nextDue() === this.clock.now() && this.clock.step()) {}
    if (this.failures[0] !== undefined) throw this.failures[0];
  }

  get leader(): Server {
    const leader = [...this.servers.values()].find(({ status }) => status.state === 'LEADING' && status.serving);
    if (leader === undefined) throw new Error('nobody leads');
    return leader;
  }

  get followers(): Server[] {
    return [...this.servers.values()].filter(({ status }) => status.state === 'FOLLOWING' && status.serving);
  }

  /** Runs until all servers that are up serve. */
  ready(limitMs = 60_000): this {
    // First what is under way arrives, so that servers hear of a crash.
    this.settle();
    const end = this.clock.now() + limitMs;
    while (![...this.servers.values()].every(({ status }) => status.serving)) {
      if (this.clock.now() > end) throw new Error('the ensemble does not come up');
      this.run(TICK_MS);
    }
    return this;
  }

  /** A client with a session. */
  client(server: Server, options: Parameters<RecordedClient['connect']>[0] = {}, link: Partial<ClientLink> = {}): RecordedClient {
    const client = new RecordedClient(server, link).connect(options);
    this.settle();
    return client;
  }
}
