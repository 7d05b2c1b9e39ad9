/**
 * Byte channels over the simulated network, for one life of one server, and the transport for Zab that `framed` makes of them.
 *
 * The bytes of one turn travel together, cut at random places, so that a connection which ends can end within a frame. Beyond that the channels keep their
 * contract, unless they are spoilt.
 */
import { type Random, randomBelow } from '@quorate/ports';
import {
  type ByteChannel,
  type ByteChannelHandler,
  type ByteTransport,
  framed,
  type Sid,
  type Transport,
  type WireViolation,
} from '@quorate/zab';
import { between, chance, millis, pick } from './random-streams.js';
import type { SimNetwork } from './sim-network.js';
import type { SimProcess } from './sim-process.js';
import { hostOf } from './sim-transport.js';
import { drawFault, flipped, type Spoil, type SpoilFault, splitWrongly } from './spoil.js';
import type { StreamEnd, StreamHandler } from './stream.js';

export interface SimByteTransportOptions {
  readonly sid: Sid;
  readonly network: SimNetwork;
  readonly process: SimProcess;
  readonly random: Random;
  /** Legal channels where absent. */
  readonly spoil?: Spoil;
  /** Something illegal is done. */
  readonly onSpoilt?: (fault: SpoilFault) => void;
}

export interface SimFramedOptions extends SimByteTransportOptions {
  /** Not known where absent. */
  readonly ensembleId?: string;
  /** As in `FramedOptions`. */
  readonly answerTimeoutMs?: number;
  readonly onViolation?: (violation: WireViolation) => void;
}

/** The port Transport over simulated byte channels: every message passes the codec, frames and handshakes that are shipped. */
export function simFramedTransport(options: SimFramedOptions): Transport {
  const { sid, process, random, ensembleId, answerTimeoutMs, onViolation } = options;
  return framed(new SimByteTransport(options), {
    sid,
    clock: process,
    random,
    ...(ensembleId !== undefined && { ensembleId }),
    ...(answerTimeoutMs !== undefined && { answerTimeoutMs }),
    ...(onViolation !== undefined && { onViolation }),
  });
}

type Stream = StreamEnd<Uint8Array, Uint8Array>;

const SERVICE = 'wire';

/** How many of a thousand connections of spoilt transports give their last bytes once more after their close. */
const LATE_PERMILLE = 250;

class SimByteTransport implements ByteTransport {
  readonly #options: SimByteTransportOptions;
  /** The channels that are open. */
  readonly #channels = new Set<SimByteChannel>();

  constructor(options: SimByteTransportOptions) {
    this.#options = options;
  }

  get #address(): string {
    return `${hostOf(this.#options.sid)}/${SERVICE}`;
  }

  start(accept: (channel: ByteChannel) => ByteChannelHandler): void {
    const { network, process } = this.#options;
    network.listen<Uint8Array, Uint8Array>(this.#address, process, (_from, end) => {
      const channel = this.#add(end);
      return this.#receiver(channel, accept(channel));
    });
  }

  open(to: Sid, handler: ByteChannelHandler): ByteChannel {
    const { sid, network, process } = this.#options;
    // The network calls back only after `dial` has returned.
    const receiver: StreamHandler<Uint8Array> = {
      onMessage: (bytes) => inner.onMessage(bytes),
      onClose: () => inner.onClose(),
    };
    const end = network.dial<Uint8Array, Uint8Array>({ from: hostOf(sid), process, to: hostOf(to), service: SERVICE, handler: receiver });
    const channel = this.#add(end);
    const inner = this.#receiver(channel, handler);
    return channel;
  }

  /** The server is gone: its peers may not have got all that it sent, and some of them learn of its end only by its silence. */
  stop(): void {
    const { network, process, random } = this.#options;
    network.unlisten(this.#address, process);
    for (const channel of this.#channels) {
      const unsent = chance(random, 500) ? between(random, 0, channel.end.outgoing.length) : 0;
      const delayMs = chance(random, 300) ? millis(random, 0, 4000) : 0;
      channel.end.vanish({ unsent, delayMs });
    }
    this.#channels.clear();
  }

  #add(end: Stream): SimByteChannel {
    const channel = new SimByteChannel(end, this.#channels, this.#options);
    this.#channels.add(channel);
    return channel;
  }

  /** What the stream tells, and bytes after its close where the transport is spoilt. */
  #receiver(channel: SimByteChannel, handler: ByteChannelHandler): StreamHandler<Uint8Array> {
    const { spoil, random, process, onSpoilt } = this.#options;
    let last: Uint8Array | undefined;
    return {
      onMessage: (bytes) => {
        last = bytes;
        handler.onBytes(bytes);
      },
      onClose: () => {
        this.#channels.delete(channel);
        handler.onClose();
        if (last === undefined || spoil === undefined || spoil.permille === 0 || !chance(random, LATE_PERMILLE)) return;
        const bytes = last;
        onSpoilt?.('late');
        process.defer(() => handler.onBytes(bytes));
      },
    };
  }
}

class SimByteChannel implements ByteChannel {
  readonly end: Stream;
  readonly #siblings: Set<SimByteChannel>;
  readonly #options: SimByteTransportOptions;
  /** What was sent in this turn. */
  #pending: Uint8Array[] = [];
  /** What the next chunk overtakes. */
  #held: Uint8Array | undefined;
  #isSilenced = false;

  constructor(end: Stream, siblings: Set<SimByteChannel>, options: SimByteTransportOptions) {
    this.end = end;
    this.#siblings = siblings;
    this.#options = options;
  }

  send(bytes: Uint8Array): void {
    if (!this.end.isOpen) return;
    this.#pending.push(bytes);
    if (this.#pending.length === 1) this.#options.process.defer(() => this.#flush());
  }

  awaitRoom(ready: () => void): void {
    this.#flush();
    this.end.awaitRoom(ready);
  }

  close(): void {
    this.#flush();
    this.#siblings.delete(this);
    this.end.close();
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const bytes = concat(this.#pending);
    this.#pending = [];
    for (const chunk of cut(this.#options.random, bytes)) this.#put(chunk);
  }

  #put(chunk: Uint8Array): void {
    const { spoil, random } = this.#options;
    const fault = spoil === undefined ? undefined : drawFault(random, spoil);
    // Transports that have become well are silent no more.
    if (this.#isSilenced && spoil?.permille !== 0) return;
    this.#isSilenced = false;
    const held = this.#held;
    this.#held = undefined;
    if (fault === undefined) this.end.send(chunk);
    else this.#spoil(chunk, fault);
    if (held !== undefined) this.end.send(held);
  }

  #spoil(chunk: Uint8Array, fault: SpoilFault): void {
    const { random, onSpoilt } = this.#options;
    onSpoilt?.(fault);
    switch (fault) {
      case 'doubled':
        this.end.send(chunk);
        this.end.send(chunk);
        return;
      case 'swapped':
        this.#held = chunk;
        return;
      case 'flipped':
        this.end.send(flipped(random, chunk));
        return;
      case 'cross-wired':
        this.#another()?.end.send(chunk);
        return;
      case 'split wrongly':
        for (const part of splitWrongly(random, chunk)) this.end.send(part);
        return;
      case 'silenced':
        this.#isSilenced = true;
        return;
      case 'lost':
      case 'late':
        return;
    }
  }

  #another(): SimByteChannel | undefined {
    const others = [...this.#siblings].filter((sibling) => sibling !== this);
    return others.length === 0 ? undefined : pick(this.#options.random, others);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** How many of a thousand turns leave in more than one chunk. */
const CUT_PERMILLE = 300;

/** The bytes in one to four chunks. */
function cut(random: Random, bytes: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let rest = bytes;
  for (let cuts = chance(random, CUT_PERMILLE) ? between(random, 1, 3) : 0; cuts > 0 && rest.length > 1; cuts--) {
    const at = 1 + randomBelow(random, rest.length - 1);
    chunks.push(rest.subarray(0, at));
    rest = rest.subarray(at);
  }
  chunks.push(rest);
  return chunks;
}
