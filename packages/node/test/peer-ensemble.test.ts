/** Three servers over TCP and over TLS: they elect, write, lose their leader and go on, whatever becomes of the network between them. */
import { realClock, realRandom } from '@quorate/ports';
import type { Sid } from '@quorate/zab';
import { afterEach, describe, test } from 'vitest';
import { type PeerAddress, type PeerTls, peerTransport } from '../src/index.js';
import { Authority } from './support/certificates.js';
import { addresses, CONFIG, until, VOTERS } from './support/peer-world.js';
import { Relay } from './support/relay.js';
import { live, ServerTrio } from './support/server-trio.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Started {
  readonly ensemble: ServerTrio;
  /** In front of the ports of each server, for all others. */
  readonly relays: ReadonlyMap<Sid, readonly [quorum: Relay, election: Relay]>;
}

async function start(options: { readonly tls?: ReadonlyMap<Sid, PeerTls>; readonly relayed?: boolean } = {}): Promise<Started> {
  const at = await addresses();
  const relays = new Map<Sid, readonly [Relay, Relay]>();
  if (options.relayed === true)
    for (const [sid, { quorumPort, electionPort }] of at)
      relays.set(sid, [await Relay.before(quorumPort), await Relay.before(electionPort)]);
  closers.push(() => {
    for (const pair of relays.values()) for (const relay of pair) relay.close();
  });
  const seen = (peer: Sid, address: PeerAddress): PeerAddress => {
    const pair = relays.get(peer);
    return pair === undefined ? address : { ...address, quorumPort: pair[0].port, electionPort: pair[1].port };
  };
  const ensemble = await ServerTrio.start((sid) => {
    const servers = new Map([...at].map(([peer, address]) => [peer, peer === sid ? address : seen(peer, address)]));
    return peerTransport({ sid, config: CONFIG, servers, tls: options.tls?.get(sid), clock: realClock, random: realRandom });
  });
  closers.push(() => ensemble.close());
  return { ensemble, relays };
}

describe('three servers elect, write, lose their leader and go on', () => {
  test('over TCP', async () => live((await start()).ensemble));

  test('over TLS', async () => {
    const authority = await Authority.found('the ensemble');
    const tls = new Map<Sid, PeerTls>();
    for (const sid of VOTERS) tls.set(sid, await authority.issue('127.0.0.1'));
    await live((await start({ tls })).ensemble);
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
      const { ensemble, relays } = await start({ relayed: true });
      await ensemble.serves();
      const client = await ensemble.client();
      await client.create('/a', 'one');
      const leader = ensemble.leader as Sid;
      const epoch = ensemble.servers.get(leader)?.status.epoch as number;
      for (const relay of relays.get(leader) as readonly Relay[]) harm(relay);
      // Its followers give it up, and where they cannot reach it, elect another; or it comes back with a new epoch.
      await until(() => [...ensemble.servers.values()].some(({ status }) => status.serving && status.epoch > epoch));
      for (const relay of relays.get(leader) as readonly Relay[]) relay.mend();
      await ensemble.serves();
      await client.connected();
      await client.create('/b', 'two');
      await ensemble.expectAgreement();
    });
  }
});
