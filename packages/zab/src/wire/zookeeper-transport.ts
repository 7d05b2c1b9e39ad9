import type { Clock, Random, Timer } from '@quorate/ports';
import { encodeUtf8, isProtocolError, JuteWriter } from '@quorate/protocol';
import type { Sid } from '../config.js';
import type { Notification } from '../messages.js';
import type { Channel, ChannelHandler, Transport, TransportHandler } from '../transport.js';
import { ByteQueue } from './byte-queue.js';
import type { ByteChannelHandler } from './byte-transport.js';
import { ElectionPeer } from './election-peer.js';
import type { PacketContext, PacketLink } from './packet-link.js';
import type { AcceptedStream, PeerStreams } from './peer-streams.js';
import type { WireViolation } from './violation.js';
import { takeElectionHello } from './zookeeper-election.js';
import { LeaderEnd } from './zookeeper-leader.js';
import { LearnerEnd } from './zookeeper-learner.js';
import type { ZookeeperPayloads } from './zookeeper-payloads.js';

export interface ZookeeperWireOptions {
  /** The server whose transport this is. */
  readonly sid: Sid;
  /** All servers of the ensemble; whoever else connects is turned away. */
  readonly peers: Iterable<Sid>;
  /** Where this server takes election connections, `host:port`: what it says of itself to a server of Apache's. */
  readonly electionAddress: string;
  /** The config as ZooKeeper writes it, which goes with every notification (`QuorumMaj.toString`); none when absent. */
  readonly configText?: string;
  readonly clock: Clock;
  /** For the pauses between connections. */
  readonly random: Random;
  /** How the application speaks to a leader of Apache's; when absent, such a leader is not followed. */
  readonly payloads?: ZookeeperPayloads;
  /** How long whoever connects may take to say who it is; 5,000 when absent, as ZooKeeper's `cnxTimeout`. */
  readonly answerTimeoutMs?: number;
  /** A peer did what it must not, and its connection has been closed. */
  readonly onViolation?: (violation: WireViolation) => void;
}

/** What the connections of one server share. */
export interface ZookeeperContext extends PacketContext {
  readonly sid: Sid;
  readonly peers: ReadonlySet<Sid>;
  readonly clock: Clock;
  readonly answerTimeoutMs: number;
  readonly payloads: ZookeeperPayloads | undefined;
  acceptLearner(from: Sid, channel: Channel): ChannelHandler;
}

const ANSWER_TIMEOUT_MS_DEFAULT = 5_000;

/**
 * A transport for Zab in ZooKeeper's own bytes, over an election stream and a quorum stream to each server. Servers of ours use it among themselves, and follow
 * and elect servers of Apache's by it (docs/decisions/0020).
 *
 * Nothing in ZooKeeper's bytes finds out what a stream has lost or spoilt, or who speaks: that is for TCP and TLS below it.
 */
export function zookeeperWire(streams: PeerStreams, options: ZookeeperWireOptions): Transport {
  return new ZookeeperTransport(streams, options);
}

class ZookeeperTransport implements Transport {
  readonly #streams: PeerStreams;
  readonly #options: ZookeeperWireOptions;
  readonly #context: ZookeeperContext;
  readonly #electors = new Map<Sid, ElectionPeer>();
  /** Streams whose openers have not said who they are. */
  readonly #strangers = new Set<Timer>();
  #handler: TransportHandler | undefined;
  #stopped = false;

  constructor(streams: PeerStreams, options: ZookeeperWireOptions) {
    const { sid, peers, clock, payloads, answerTimeoutMs = ANSWER_TIMEOUT_MS_DEFAULT, onViolation } = options;
    this.#streams = streams;
    this.#options = options;
    this.#context = {
      sid,
      peers: new Set(peers),
      clock,
      answerTimeoutMs,
      payloads,
      writer: new JuteWriter(),
      links: new Set<PacketLink>(),
      acceptLearner: (from, channel) => (this.#handler as TransportHandler).onChannel(from, channel),
      onViolation: (violation) => {
        if (!this.#stopped) onViolation?.(violation);
      },
    };
    for (const peer of this.#context.peers) if (peer !== sid) this.#electors.set(peer, this.#createElector(peer));
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#streams.start((stream) =>
      stream.purpose === 'ELECTION' ? this.#acceptElector(stream) : new LeaderEnd(this.#context, stream).link,
    );
  }

  notify(to: Sid, notification: Notification): void {
    if (!this.#stopped) this.#electors.get(to)?.send(notification);
  }

  open(to: Sid, handler: ChannelHandler): Channel {
    const end = new LearnerEnd(this.#context, to, handler);
    end.link.carry(this.#streams.open(to, 'LEARNER', end.link));
    return end;
  }

  stop(): void {
    this.#stopped = true;
    for (const elector of this.#electors.values()) elector.stop();
    for (const timer of this.#strangers) timer.cancel();
    for (const link of [...this.#context.links]) link.abandon();
    this.#streams.stop();
  }

  #createElector(peer: Sid): ElectionPeer {
    const { sid, electionAddress, configText = '', random } = this.#options;
    const { clock, writer, answerTimeoutMs } = this.#context;
    return new ElectionPeer({
      sid,
      peer,
      address: electionAddress,
      config: encodeUtf8(configText),
      clock,
      random,
      writer,
      answerTimeoutMs,
      open: (handler) => this.#streams.open(peer, 'ELECTION', handler),
      onNotification: (notification) => {
        if (!this.#stopped) this.#handler?.onNotification(peer, notification);
      },
      onBadMessage: (message) => this.#context.onViolation({ rule: 'BAD_MESSAGE', message, peer, purpose: 'ELECTION' }),
    });
  }

  /** Somebody has connected to the election port: until it has said who it is, its bytes are gathered here. */
  #acceptElector(stream: AcceptedStream): ByteChannelHandler {
    const { clock, answerTimeoutMs } = this.#context;
    const queue = new ByteQueue();
    let taker: ByteChannelHandler | undefined;
    let refused = false;
    const timer = clock.setTimer(answerTimeoutMs, () => end());
    this.#strangers.add(timer);
    const known = (): void => {
      timer.cancel();
      this.#strangers.delete(timer);
    };
    const end = (): void => {
      known();
      refused = true;
      stream.close();
    };
    return {
      onBytes: (bytes) => {
        if (refused || this.#stopped) return;
        if (taker !== undefined) return taker.onBytes(bytes);
        queue.push(bytes);
        const elector = this.#electorIn(queue, stream);
        if (elector === undefined) return;
        if (elector !== 'REFUSED') taker = elector.accept(stream, queue);
        if (taker === undefined) return end();
        known();
        taker.onBytes(NOTHING);
      },
      onClose: () => {
        known();
        taker?.onClose();
      },
    };
  }

  /** Who has connected, undefined as long as that is not known. */
  #electorIn(queue: ByteQueue, stream: AcceptedStream): ElectionPeer | 'REFUSED' | undefined {
    try {
      const from = takeElectionHello(queue);
      if (from === undefined) return undefined;
      const elector = this.#electors.get(from);
      if (elector !== undefined && stream.mayBe(from)) return elector;
      const message = elector === undefined ? `server ${from} is none of this ensemble` : `the certificate is not server ${from}'s`;
      this.#context.onViolation({ rule: 'WRONG_SERVER', message, peer: from, purpose: 'ELECTION' });
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#context.onViolation({ rule: 'BAD_HELLO', message: error.message, peer: undefined, purpose: 'ELECTION' });
    }
    return 'REFUSED';
  }
}

const NOTHING = new Uint8Array(0);
