import type { Clock, Random } from '@quorate/ports';
import { isProtocolError, JuteWriter } from '@quorate/protocol';
import type { Sid } from '../config.js';
import type { Notification } from '../messages.js';
import type { Channel, ChannelHandler, Transport, TransportHandler } from '../transport.js';
import type { ByteTransport } from './byte-transport.js';
import { ElectionSender } from './election-sender.js';
import { FramedChannel } from './framed-channel.js';
import { FramedLink, type LinkContext } from './framed-link.js';
import { checkEnsembleId, decodeNotification } from './message-codec.js';
import type { WireViolation } from './violation.js';

export interface FramedOptions {
  /** The server whose transport this is. */
  readonly sid: Sid;
  /** The ensemble that this server belongs to; a peer that belongs to another is turned away. Any will do when absent or empty. */
  readonly ensembleId?: string;
  readonly clock: Clock;
  /** For the nonces of connections. */
  readonly random: Random;
  /**
   * How long a handshake and the acknowledgement of a notification may take before their channel is closed; 5,000 when absent, as ZooKeeper's `cnxTimeout`.
   * Learner channels have the heartbeats of Zab.
   */
  readonly answerTimeoutMs?: number;
  /** A byte channel did what it must not, and has been closed. */
  readonly onViolation?: (violation: WireViolation) => void;
}

const ANSWER_TIMEOUT_MS_DEFAULT = 5000;

const EMPTY = new Uint8Array(0);

/**
 * Makes a transport for Zab of any byte transport. Every byte travels in frames with a nonce of the connection, a number and checksums, so that loss in the middle,
 * duplication, reordering, corruption, cross-wiring, delivery after a close and wrong splits are found, reported, and end the channel: they are never believed.
 *
 * It is no defence against somebody who means harm: that is for the byte transport, by TLS.
 *
 * ```ts
 * const transport = framed(myBytes, { sid: 1, ensembleId: 'shop', clock: realClock, random: realRandom, onViolation: console.warn });
 * ```
 *
 * @throws RangeError where the name of the ensemble is too long.
 */
export function framed(bytes: ByteTransport, options: FramedOptions): Transport {
  return new FramedTransport(bytes, options);
}

class FramedTransport implements Transport {
  readonly #bytes: ByteTransport;
  readonly #context: LinkContext;
  readonly #writer = new JuteWriter();
  readonly #senders = new Map<Sid, ElectionSender>();
  /** The election channel that each peer has opened last, closed or not. */
  readonly #electors = new Map<Sid, FramedLink>();
  #handler: TransportHandler | undefined;
  #stopped = false;

  constructor(bytes: ByteTransport, options: FramedOptions) {
    const { sid, ensembleId = '', clock, random, answerTimeoutMs = ANSWER_TIMEOUT_MS_DEFAULT, onViolation } = options;
    checkEnsembleId(ensembleId);
    this.#bytes = bytes;
    this.#context = {
      sid,
      ensembleId,
      clock,
      random,
      answerTimeoutMs,
      links: new Set(),
      onAccepted: (link) => (link.purpose === 'LEARNER' ? this.#acceptLearner(link) : this.#acceptElector(link)),
      onViolation: (violation) => {
        if (!this.#stopped) onViolation?.(violation);
      },
    };
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#bytes.start((channel) => FramedLink.accept(this.#context, channel));
  }

  notify(to: Sid, notification: Notification): void {
    if (this.#stopped) return;
    let sender = this.#senders.get(to);
    if (sender === undefined) {
      sender = this.#createSender(to);
      this.#senders.set(to, sender);
    }
    sender.send(notification);
  }

  open(to: Sid, handler: ChannelHandler): Channel {
    const channel = new FramedChannel(FramedLink.open(this.#context, this.#bytes, { peer: to, purpose: 'LEARNER' }), this.#writer);
    channel.handle(handler);
    return channel;
  }

  stop(): void {
    this.#stopped = true;
    for (const sender of this.#senders.values()) sender.stop();
    for (const link of [...this.#context.links]) link.abandon();
    this.#bytes.stop();
  }

  #createSender(to: Sid): ElectionSender {
    const { clock, answerTimeoutMs } = this.#context;
    const open = () => FramedLink.open(this.#context, this.#bytes, { peer: to, purpose: 'ELECTION' });
    return new ElectionSender({ clock, answerTimeoutMs, writer: this.#writer, open });
  }

  #acceptLearner(link: FramedLink): void {
    const channel = new FramedChannel(link, this.#writer);
    channel.handle((this.#handler as TransportHandler).onChannel(link.peer, channel));
  }

  /** A peer has one election channel: with the older one its older notifications go. */
  #acceptElector(link: FramedLink): void {
    this.#electors.get(link.peer)?.close();
    this.#electors.set(link.peer, link);
    link.handle({
      onOpen: () => {},
      onBody: (body) => this.#onNotification(link, body),
      onClose: () => {},
    });
  }

  #onNotification(link: FramedLink, body: Uint8Array): void {
    let notification: Notification;
    try {
      notification = decodeNotification(body);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      link.fail({ rule: 'BAD_MESSAGE', message: error.message });
      return;
    }
    link.send(EMPTY);
    this.#handler?.onNotification(link.peer, notification);
  }
}
