/** The twin of `PeerStreams` in memory, for tests: the purpose of a stream is its first byte. */
import type { Sid } from '../config.js';
import type { ByteChannel, ByteChannelHandler, ByteTransport } from './byte-transport.js';
import type { MemoryByteNetwork } from './memory-byte-network.js';
import type { AcceptedStream, PeerStreams } from './peer-streams.js';
import type { ChannelPurpose } from './violation.js';

const PURPOSES: readonly ChannelPurpose[] = ['ELECTION', 'LEARNER'];

export class MemoryPeerStreams implements PeerStreams {
  readonly #bytes: ByteTransport;
  /** Whom an accepted stream may come from; anybody, unless a test says otherwise. */
  mayBe: (sid: Sid) => boolean = () => true;

  constructor(network: MemoryByteNetwork, sid: Sid) {
    this.#bytes = network.transport(sid);
  }

  start(accept: (stream: AcceptedStream) => ByteChannelHandler): void {
    this.#bytes.start((channel) => {
      let handler: ByteChannelHandler | undefined;
      return {
        onBytes: (bytes) => {
          if (handler !== undefined) return handler.onBytes(bytes);
          const purpose = PURPOSES[bytes[0] as number] as ChannelPurpose;
          handler = accept({
            purpose,
            mayBe: (sid) => this.mayBe(sid),
            send: (sent) => channel.send(sent),
            awaitRoom: (ready) => channel.awaitRoom(ready),
            close: () => channel.close(),
          });
          if (bytes.length > 1) handler.onBytes(bytes.subarray(1));
        },
        onClose: () => handler?.onClose(),
      };
    });
  }

  open(to: Sid, purpose: ChannelPurpose, handler: ByteChannelHandler): ByteChannel {
    const channel = this.#bytes.open(to, handler);
    channel.send(Uint8Array.of(PURPOSES.indexOf(purpose)));
    return channel;
  }

  stop(): void {
    this.#bytes.stop();
  }
}
