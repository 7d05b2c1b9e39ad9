/**
 * What a learner of ours says to a leader of Apache's, and hears from it (classes `Learner`, `Follower`, `Observer`, as `LearnerHandler` takes them).
 *
 * Apache's packets carry one txn each and acknowledge one each, where ours carry runs and are cumulative: proposals and commits that come together become one run and
 * one commit, and an acknowledgement becomes one packet for every proposal that it covers.
 */
import { counterOf, epochOf, JuteWriter, makeZxid, ProtocolError, type Zxid } from '@quorate/protocol';
import { lastZxidOf } from '../log.js';
import type { Message } from '../messages.js';
import type { ByteQueue } from './byte-queue.js';
import { RUN_BYTES_MAX } from './framed-channel.js';
import type { PacketLink } from './packet-link.js';
import { NO_IDS, PacketType, type QuorumPacket } from './zookeeper-packet.js';
import type { ZookeeperPayloads } from './zookeeper-payloads.js';
import { SnapshotScanner } from './zookeeper-snapshot.js';

export interface ApacheLeaderOptions {
  readonly link: PacketLink;
  readonly payloads: ZookeeperPayloads;
  readonly epoch: number;
  readonly onMessage: (message: Message) => void;
}

/** Record `FileHeader`: what a snapshot of Apache's begins with in a file, and on a channel does not. It tells the application whose bytes these are. */
const SNAPSHOT_FILE_HEADER = Uint8Array.of(0x5a, 0x4b, 0x53, 0x4e, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** Packets whose zxid is a place in a history. */
const PLACES: ReadonlySet<number> = new Set([
  ...[PacketType.PROPOSAL, PacketType.INFORM, PacketType.COMMIT],
  ...[PacketType.TRUNC, PacketType.SNAP, PacketType.NEWLEADER],
]);

const NOTHING = new Uint8Array(0);
const NO_ZXID_TOLD = -1 as Zxid;

/** A run that is being gathered. */
interface Gathering {
  readonly type: 'PROPOSAL' | 'INFORM';
  readonly zxid: Zxid;
  readonly payloads: Uint8Array[];
  bytes: number;
}

export class ApacheLeader {
  readonly #options: ApacheLeaderOptions;
  /** Where a snapshot is being read. */
  #snapshot: SnapshotScanner | undefined;
  /** Whether NEWLEADER has come, and UPTODATE. */
  #synchronized = false;
  #serving = false;
  #run: Gathering | undefined;
  /** A commit behind it that has not been told. */
  #commit: Zxid | undefined;
  #lastCommit = 0 as Zxid;
  #lastZxid = 0 as Zxid;
  /** All that needs an acknowledgement up to here has one. */
  #acked = 0 as Zxid;
  /** Of the syncs that are not answered, in order. */
  readonly #syncs: number[] = [];

  constructor(options: ApacheLeaderOptions) {
    this.#options = options;
  }

  send(message: Message): void {
    const { payloads } = this.#options;
    switch (message.type) {
      case 'ACKEPOCH':
        return this.#send(PacketType.ACKEPOCH, message.lastZxid, epochBytes(message.currentEpoch));
      case 'ACK':
        return this.#acknowledge(message.zxid);
      case 'PING':
        return this.#send(PacketType.PING, message.round as Zxid, payloads.heartbeat(message.payload));
      case 'REQUEST':
        return this.#options.link.send({ type: PacketType.REQUEST, zxid: NO_ZXID_TOLD, ...payloads.request(message.payload) });
      case 'REVALIDATE':
        for (const data of payloads.revalidations(message.payload)) this.#send(PacketType.REVALIDATE, NO_ZXID_TOLD, data);
        return;
      case 'SYNC':
        this.#syncs.push(message.tag);
        return this.#send(PacketType.REQUEST, NO_ZXID_TOLD, payloads.syncRequest());
      default:
        // A learner says nothing else.
        return;
    }
  }

  /** Each proposal has one of its own (`Leader.processAck`, `SyncLimitCheck`); what was committed before NEWLEADER was acknowledged needs none. */
  #acknowledge(zxid: Zxid): void {
    if (counterOf(zxid) === 0) {
      this.#send(PacketType.ACK, zxid, null);
      this.#acked = zxid > this.#lastCommit ? zxid : this.#lastCommit;
      return;
    }
    for (let next = this.#acked + 1; next <= zxid; next++) this.#send(PacketType.ACK, next as Zxid, null);
    if (zxid > this.#acked) this.#acked = zxid;
  }

  onPacket({ type, zxid, data }: QuorumPacket): void {
    if (zxid < 0 && PLACES.has(type)) throw new ProtocolError('BAD_VALUE', 'a place in a history is negative');
    switch (type) {
      case PacketType.PROPOSAL:
        return this.#onTxn('PROPOSAL', zxid, data);
      case PacketType.INFORM:
        if (this.#synchronized) return this.#onTxn('INFORM', zxid, data);
        // Committed while the history was being sent: a part of it.
        this.#onTxn('PROPOSAL', zxid, data);
        return this.#onCommit(zxid);
      case PacketType.COMMIT:
        return this.#onCommit(zxid);
      default:
        this.flush();
        return this.#onOther(type, zxid, data ?? NOTHING);
    }
  }

  #onTxn(type: Gathering['type'], zxid: Zxid, data: Uint8Array | null): void {
    if (data === null || counterOf(zxid) === 0) throw new ProtocolError('BAD_VALUE', 'a proposal is none of a txn');
    this.#lastZxid = zxid;
    const run = this.#run;
    if (run !== undefined && run.type === type && zxid === lastZxidOf(run) + 1 && run.bytes + data.length <= RUN_BYTES_MAX) {
      run.payloads.push(data);
      run.bytes += data.length;
      return;
    }
    this.flush();
    this.#run = { type, zxid, payloads: [data], bytes: data.length };
  }

  /** It says the same a little later: it is cumulative, and what waits for it comes behind it. */
  #onCommit(zxid: Zxid): void {
    this.#commit = zxid;
    this.#lastCommit = zxid;
  }

  /** Tells what has been gathered. */
  flush(): void {
    const run = this.#run;
    const zxid = this.#commit;
    this.#run = undefined;
    this.#commit = undefined;
    if (run !== undefined) this.#tell({ type: run.type, run: { zxid: run.zxid, payloads: run.payloads } });
    if (zxid !== undefined) this.#tell({ type: 'COMMIT', zxid });
  }

  #onOther(type: number, zxid: Zxid, data: Uint8Array): void {
    switch (type) {
      case PacketType.DIFF:
        return this.#tell({ type: 'DIFF' });
      case PacketType.TRUNC:
        return this.#tell({ type: 'TRUNC', zxid });
      case PacketType.SNAP:
        this.#snapshot = new SnapshotScanner();
        this.#tell({ type: 'SNAP', zxid });
        return this.#tell({ type: 'PIECE', bytes: SNAPSHOT_FILE_HEADER, last: false });
      case PacketType.NEWLEADER:
        this.#synchronized = true;
        return this.#tell({ type: 'NEWLEADER', epoch: epochOf(zxid) });
      case PacketType.UPTODATE:
        this.#serving = true;
        this.#send(PacketType.ACK, makeZxid(this.#options.epoch, 0), null);
        return this.#tell({ type: 'UPTODATE' });
      case PacketType.PING:
        // As long as it waits for an acknowledgement, Apache's leader takes nothing else; and it does not wait for answers to these.
        if (this.#serving) this.#tell({ type: 'PING', round: Math.max(0, zxid), payload: NOTHING });
        return;
      case PacketType.REVALIDATE:
        return this.#tell({ type: 'REVALIDATE', payload: this.#options.payloads.revalidated(data, this.#lastZxid) });
      case PacketType.SYNC: {
        const tag = this.#syncs.shift();
        if (tag === undefined) throw new ProtocolError('BAD_VALUE', 'a sync is answered that was not asked for');
        return this.#tell({ type: 'SYNC', tag });
      }
      default:
        throw new ProtocolError('UNKNOWN_OPCODE', `a leader sends no packet of the type ${type}, or none that is understood here`);
    }
  }

  /** Takes what has come of a snapshot; false where none is being sent. */
  takeSnapshot(queue: ByteQueue): boolean {
    const scanner = this.#snapshot;
    if (scanner === undefined) return false;
    if (queue.length === 0) return true;
    const length = scanner.scan(queue.peek(queue.length));
    const last = scanner.isComplete;
    if (last) this.#snapshot = undefined;
    this.#tell({ type: 'PIECE', bytes: queue.take(length), last });
    return true;
  }

  #send(type: number, zxid: Zxid, data: Uint8Array | null): void {
    this.#options.link.send({ type, zxid, data, authinfo: NO_IDS });
  }

  /** Nothing more is told once somebody has closed the channel. */
  #tell(message: Message): void {
    if (!this.#options.link.isClosed) this.#options.onMessage(message);
  }
}

function epochBytes(epoch: number): Uint8Array {
  const writer = new JuteWriter(4);
  writer.int(epoch);
  return writer.finish();
}
