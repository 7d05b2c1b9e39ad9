/**
 * All that the ensemble agrees on, as one server has it: the tree and the sessions (`ZKDatabase`). It is what a snapshot holds.
 */
import { JuteReader, JuteWriter, OpCode, ProtocolError, type Txn, type TxnHeader, type Zxid } from '@quorate/protocol';
import { SessionTable } from '@quorate/session';
import { type ChangeListener, DataTree, type TxnResult } from '@quorate/tree';
import { piecesOf } from './pieces.js';

const FORMAT_VERSION = 2;

export class Database {
  readonly tree: DataTree;
  readonly sessions: SessionTable;

  constructor(tree = new DataTree(), sessions = new SessionTable()) {
    this.tree = tree;
    this.sessions = sessions;
  }

  /** The last txn that was applied. */
  get lastZxid(): Zxid {
    return this.tree.lastZxid;
  }

  /** Applies the next txn. It cannot fail: prepare has let it pass. */
  apply(header: TxnHeader, txn: Txn, onChange: ChangeListener): TxnResult {
    if (txn.type === OpCode.createSession) this.sessions.add(header.clientId, txn.timeOut);
    else if (txn.type === OpCode.closeSession) this.sessions.remove(header.clientId);
    return this.tree.apply(header, txn, onChange);
  }

  /** The whole state, exact at `lastZxid` of this moment, in pieces of 64 KiB at most that are made one at a time while txns are applied. */
  snapshot(): Iterable<Uint8Array> {
    const writer = new JuteWriter();
    writer.int(FORMAT_VERSION);
    writer.buffer(this.sessions.serialize());
    // The tree's length is known only when all of it is written, so it goes on to the end.
    return concat(piecesOf(writer.finish()), this.tree.snapshot());
  }

  /** @throws ProtocolError for bytes that no `snapshot` gave. */
  static deserialize(bytes: Uint8Array): Database {
    const reader = new JuteReader(bytes);
    if (reader.int() !== FORMAT_VERSION) throw new ProtocolError('BAD_VALUE', 'the snapshot of a server is of a version that is not known');
    const sessions = reader.buffer();
    if (sessions === null) throw new ProtocolError('BAD_VALUE', 'the snapshot of a server begins with its sessions');
    const tree = bytes.subarray(bytes.length - reader.remaining);
    return new Database(DataTree.deserialize(tree), SessionTable.deserialize(sessions));
  }
}

function* concat(first: Iterable<Uint8Array>, second: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield* first;
  yield* second;
}
