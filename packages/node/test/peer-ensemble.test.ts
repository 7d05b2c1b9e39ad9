/** Three servers over TCP and over TLS: they elect, write, lose their leader and go on, whatever becomes of the network between them. */
import { realClock, realRandom } from '@quorate/ports';
import { MemoryStorage, Server } from '@quorate/server';
import type { Sid } from '@quorate/zab';
import { CreateMode } from 'quorate';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, type Listener, listen, type PeerAddress, type PeerTls, peerTransport } from '../src/index.js';
import { Authority } from './support/certificates.js';
import { addresses, CONFIG, until, VOTERS } from './support/peer-world.js';
import { Relay } from './support/relay.js';

const TICK_TIME_MS = 200;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

class Ensemble {
  readonly servers = new Map<Sid, Server>();
  readonly failures: Error[] = [];
  readonly #stores = new Map(VOTERS.map((sid) => [sid, new MemoryStorage({ clock: realClock }).format({ ensembleId: 'test' })]));
  readonly #listeners = new Map<Sid, Listener>();
  readonly #addresses: ReadonlyMap<Sid, PeerAddress>;
  readonly #tls: ReadonlyMap<Sid, PeerTls> | undefined;
  /** In front of the ports of each server, for all others. */
  readonly relays: ReadonlyMap<Sid, readonly [quorum: Relay, election: Relay]>;

  private constructor(
    at: ReadonlyMap<Sid, PeerAddress>,
    relays: ReadonlyMap<Sid, readonly [Relay, Relay]>,
    tls: ReadonlyMap<Sid, PeerTls> | undefined,
  ) {
    this.#addresses = at;
    this.relays = relays;
    this.#tls = tls;
  }

  static async start(options: { readonly tls?: ReadonlyMap<Sid, PeerTls>; readonly relayed?: boolean } = {}): Promise<Ensemble> {
    const at = await addresses();
    const relays = new Map<Sid, readonly [Relay, Relay]>();
    if (options.relayed === true)
      for (const [sid, { quorumPort, electionPort }] of at)
        relays.set(sid, [await Relay.before(quorumPort), await Relay.before(electionPort)]);
    const ensemble = new Ensemble(at, relays, options.tls);
    closers.push(() => ensemble.close());
    for (const sid of VOTERS) await ensemble.start(sid);
    return ensemble;
  }

  async start(sid: Sid): Promise<void> {
    const servers = new Map([...this.#addresses].map(([peer, address]) => [peer, peer === sid ? address : this.#seen(peer, address)]));
    const options = { sid, config: CONFIG, servers, tls: this.#tls?.get(sid), clock: realClock, random: realRandom };
    const server = new Server({
      ...{ sid, config: CONFIG, storage: this.#stores.get(sid) as MemoryStorage, transport: await peerTransport(options) },
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
    for (const sid of [...this.servers.keys()]) await this.stop(sid);
    for (const relays of this.relays.values()) for (const relay of relays) relay.close();
  }

  get leader(): Sid | undefined {
    for (const [sid, { status }] of this.servers) if (status.state === 'LEADING' && status.serving) return sid;
    return undefined;
  }

  /** A client that knows all servers that run. */
  async client() {
    const hosts = [...this.#listeners.values()].map(({ address }) => address).join();
    const client = await connect(hosts, { sessionTimeoutMs: 20_000 });
    closers.push(() => client.close().catch(() => {}));
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

  #seen(peer: Sid, address: PeerAddress): PeerAddress {
    const relays = this.relays.get(peer);
    return relays === undefined ? address : { ...address, quorumPort: relays[0].port, electionPort: relays[1].port };
  }
}

/** Elects, writes, loses its leader, goes on, and takes the lost one back. */
async function live(ensemble: Ensemble): Promise<void> {
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

describe('three servers elect, write, lose their leader and go on', () => {
  test('over TCP', async () => live(await Ensemble.start()));

  test('over TLS', async () => {
    const authority = await Authority.found('the ensemble');
    const tls = new Map<Sid, PeerTls>();
    for (const sid of VOTERS) tls.set(sid, await authority.issue('127.0.0.1'));
    await live(await Ensemble.start({ tls }));
  });
});

describe('goes on where the network', () => {
  const faults: Record<string, (relay: Relay) => void> = {
    'cuts the leader’s ports': (relay) => relay.cut(),
    'lets nothing through to the leader any more': (relay) => relay.stall('questions'),
    'lets nothing through from the leader any more': (relay) => relay.stall('answers'),
  };
  for (const [name, harm] of Object.entries(faults)) {
    test(name, async () => {
      const ensemble = await Ensemble.start({ relayed: true });
      await ensemble.serves();
      const client = await ensemble.client();
      await client.create('/a', 'one');
      const leader = ensemble.leader as Sid;
      const epoch = ensemble.servers.get(leader)?.status.epoch as number;
      for (const relay of ensemble.relays.get(leader) as readonly Relay[]) harm(relay);
      // Its followers give it up, and where they cannot reach it, elect another; or it comes back with a new epoch.
      await until(() => [...ensemble.servers.values()].some(({ status }) => status.serving && status.epoch > epoch));
      for (const relay of ensemble.relays.get(leader) as readonly Relay[]) relay.mend();
      await ensemble.serves();
      await client.connected();
      await client.create('/b', 'two');
      await ensemble.expectAgreement();
    });
  }
});
