/** `PeerStreams` over a byte network in memory: the purpose of a stream is its first byte. */
import type { AcceptedStream, ByteChannel, ByteChannelHandler, ByteTransport, ChannelPurpose, PeerStreams, Sid } from '@quorate/zab';
import type { MemoryByteNetwork } from './memory-byte-network.js';

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
