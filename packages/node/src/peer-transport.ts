import type { Config, Transport } from '@quorate/server';
import { type WireViolation, type ZookeeperPayloads, zookeeperWire } from '@quorate/zab';
import { configText, hostPort } from './peer-address.js';
import { bindPeerStreams, type PeerStreamsOptions } from './peer-streams.js';

export interface PeerTransportOptions extends PeerStreamsOptions {
  readonly config: Config;
  /** How the application speaks to a leader of Apache's: `zookeeperPayloads` for a `Server`. When absent, no such leader is followed. */
  readonly payloads?: ZookeeperPayloads | undefined;
  /** A peer did what it must not, and its connection has been closed. */
  readonly onViolation?: ((violation: WireViolation) => void) | undefined;
}

/**
 * The transport of one server of an ensemble over TCP or TLS, in ZooKeeper's own bytes. Its ports are bound when this resolves, and given back by `stop`, also where it has
 * never been started.
 *
 * @throws ListenError where a port cannot be bound. TypeError where an option breaks its rule.
 *
 * @example
 * const servers = new Map([1, 2, 3].map((sid) => [sid, { host: '127.0.0.1', quorumPort: 2887 + sid, electionPort: 3887 + sid }]));
 * const transport = await peerTransport({ sid: 1, config: { version: 0, voters: [1, 2, 3] }, servers, clock: realClock, random: realRandom });
 */
export async function peerTransport(options: PeerTransportOptions): Promise<Transport> {
  const { sid, config, servers, clock, random, payloads, onViolation } = options;
  const text = configText(config, servers);
  const streams = await bindPeerStreams(options);
  const own = servers.get(sid) as { readonly host: string; readonly electionPort: number };
  return zookeeperWire(streams, {
    sid,
    peers: [...config.voters, ...(config.observers ?? [])],
    electionAddress: hostPort(own.host, own.electionPort),
    configText: text,
    clock,
    random,
    ...(payloads === undefined ? {} : { payloads }),
    ...(onViolation === undefined ? {} : { onViolation }),
  });
}
