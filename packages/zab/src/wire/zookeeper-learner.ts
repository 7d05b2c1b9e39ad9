/**
 * The learner's end of a channel in ZooKeeper's bytes. A leader of ours is spoken to in our own messages from LEADERINFO on; with Apache's (`apache-leader.ts`)
 * each is turned into ZooKeeper's packets.
 */
import { assert } from '@quorate/protocol';
import type { Message } from '../messages.js';
import type { Channel, ChannelHandler } from '../transport.js';
import { ApacheLeader } from './apache-leader.js';
import type { ByteQueue } from './byte-queue.js';
import { messageOf, type PacketHandler, PacketLink } from './packet-link.js';
import { learnerHello, readLeaderHello } from './zookeeper-handshake.js';
import type { QuorumPacket } from './zookeeper-packet.js';
import type { ZookeeperContext } from './zookeeper-transport.js';

/** Who the leader is: not known before LEADERINFO, `OURS`, or Apache's. */
type Leader = 'UNKNOWN' | 'OURS' | ApacheLeader;

export class LearnerEnd implements Channel, PacketHandler {
  readonly #context: ZookeeperContext;
  readonly #handler: ChannelHandler;
  readonly link: PacketLink;
  #leader: Leader = 'UNKNOWN';

  constructor(context: ZookeeperContext, peer: number, handler: ChannelHandler) {
    this.#context = context;
    this.#handler = handler;
    this.link = new PacketLink(context, this, peer);
  }

  /** @throws RangeError where a message is larger than a packet: one payload of it is. */
  send(message: Message): void {
    if (this.link.isClosed) return;
    if (this.#leader === 'OURS') this.link.sendMessage(message);
    else if (this.#leader !== 'UNKNOWN') this.#leader.send(message);
    else this.#sendHello(message);
  }

  #sendHello(message: Message): void {
    assert(
      message.type === 'FOLLOWERINFO' || message.type === 'OBSERVERINFO' || message.type === 'MEND',
      'a learner says who it is, and nothing more before LEADERINFO',
    );
    this.link.send(learnerHello(message, this.#context.sid, this.link.peer as number));
    if (message.type !== 'MEND') return;
    // Whoever does not close the channel now is one of ours.
    this.#leader = 'OURS';
    this.link.sendMessage(message);
  }

  awaitRoom(ready: () => void): void {
    this.link.awaitRoom(ready);
  }

  close(): void {
    this.link.close();
  }

  onPacket(packet: QuorumPacket): void {
    if (this.#leader === 'UNKNOWN') this.#onHello(packet);
    else if (this.#leader === 'OURS') this.#handler.onMessage(messageOf(packet));
    else this.#leader.onPacket(packet);
  }

  takeOther(queue: ByteQueue): boolean {
    return this.#leader instanceof ApacheLeader && this.#leader.takeSnapshot(queue);
  }

  onTaken(): void {
    if (this.#leader instanceof ApacheLeader) this.#leader.flush();
  }

  onClose(): void {
    this.#handler.onClose();
  }

  #onHello(packet: QuorumPacket): void {
    const { epoch, ours } = readLeaderHello(packet);
    const { payloads } = this.#context;
    if (ours !== undefined) {
      if (ours.sid !== this.link.peer)
        return this.link.fail({ rule: 'WRONG_SERVER', message: `server ${ours.sid} answers where ${this.link.peer} was asked` });
      this.#leader = 'OURS';
    } else if (payloads !== undefined) {
      this.#leader = new ApacheLeader({ link: this.link, payloads, epoch, onMessage: (message) => this.#handler.onMessage(message) });
    } else {
      const message = 'the leader is no server of ours, and nothing is known of the payloads that it understands';
      return this.link.fail({ rule: 'OTHER_VERSION', message });
    }
    this.#handler.onMessage({ type: 'LEADERINFO', epoch, ensembleId: ours?.ensembleId ?? '' });
  }
}
