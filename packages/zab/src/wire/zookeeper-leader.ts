/** The leader's end of a learner channel in ZooKeeper's bytes: it leads servers of ours alone. */
import { assert } from '@quorate/protocol';
import type { Message } from '../messages.js';
import type { Channel, ChannelHandler } from '../transport.js';
import { messageOf, type PacketHandler, PacketLink } from './packet-link.js';
import type { AcceptedStream } from './peer-streams.js';
import type { WireFault } from './violation.js';
import { type LearnerHello, leaderHello, readLearnerHello } from './zookeeper-handshake.js';
import type { QuorumPacket } from './zookeeper-packet.js';
import type { ZookeeperContext } from './zookeeper-transport.js';

/** HELLO: the learner's is awaited. WELCOME: LEADERINFO is not sent. OPEN: both know each other; from its hello on where it only asks for what its store lacks. */
type Stage = 'HELLO' | 'WELCOME' | 'OPEN';

export class LeaderEnd implements Channel, PacketHandler {
  readonly #context: ZookeeperContext;
  readonly #stream: AcceptedStream;
  readonly link: PacketLink;
  #stage: Stage = 'HELLO';
  #handler: ChannelHandler | undefined;
  readonly #cancelTimer: () => void;

  constructor(context: ZookeeperContext, stream: AcceptedStream) {
    this.#context = context;
    this.#stream = stream;
    this.link = new PacketLink(context, this, undefined);
    this.link.carry(stream);
    const timer = context.clock.setTimer(context.answerTimeoutMs, () => this.link.giveUp());
    this.#cancelTimer = () => timer.cancel();
  }

  /** @throws RangeError where a message is larger than a packet: one payload of it is. */
  send(message: Message): void {
    if (this.link.isClosed) return;
    if (this.#stage === 'OPEN') return this.link.sendMessage(message);
    assert(message.type === 'LEADERINFO', 'a leader begins with its epoch');
    this.#stage = 'OPEN';
    this.link.send(leaderHello(message, this.#context.sid));
  }

  awaitRoom(ready: () => void): void {
    this.link.awaitRoom(ready);
  }

  close(): void {
    this.#cancelTimer();
    this.link.close();
  }

  onPacket(packet: QuorumPacket): void {
    if (this.#stage === 'HELLO') this.#onHello(readLearnerHello(packet));
    else this.#handler?.onMessage(messageOf(packet));
  }

  onClose(): void {
    this.#cancelTimer();
    this.#handler?.onClose();
  }

  #onHello(hello: LearnerHello): void {
    const { type, from, acceptedEpoch, ours } = hello;
    this.#cancelTimer();
    this.link.peer = from;
    const fault = this.#faultOf(hello);
    if (fault !== undefined || ours === undefined) return this.link.fail(fault ?? notOurs(from));
    this.#handler = this.#context.acceptLearner(from, this);
    if (type === 'MEND') {
      this.#stage = 'OPEN';
      return;
    }
    this.#stage = 'WELCOME';
    this.#handler.onMessage({ type, acceptedEpoch, ensembleId: ours.ensembleId });
  }

  #faultOf({ from, ours }: LearnerHello): WireFault | undefined {
    const { sid, peers } = this.#context;
    if (!peers.has(from)) return { rule: 'WRONG_SERVER', message: `server ${from} is none of this ensemble` };
    if (!this.#stream.mayBe(from))
      return { rule: 'WRONG_SERVER', message: `the certificate of who says that it is server ${from} is not that server's` };
    if (ours !== undefined && ours.sid !== sid)
      return { rule: 'WRONG_SERVER', message: `server ${from} means server ${ours.sid}, and this is ${sid}` };
    return undefined;
  }
}

function notOurs(from: number): WireFault {
  return {
    rule: 'OTHER_VERSION',
    message: `server ${from} is Apache's, and this server cannot lead it: name it in neverLead, so that it is not elected`,
  };
}
