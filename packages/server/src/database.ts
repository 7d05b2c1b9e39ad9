/**
 * All that the ensemble agrees on, as one server has it: the tree and the sessions (`ZKDatabase`). It is what a snapshot holds.
 */
import {
  formatZxid,
  InvariantError,
  JuteReader,
  JuteWriter,
  OpCode,
  ProtocolError,
  type Txn,
  type TxnDigest,
  type TxnHeader,
  type Zxid,
} from '@quorate/protocol';
import { SessionTable } from '@quorate/session';
import { agree, type ChangeListener, DataTree, type DataTreeOptions, formatDigest, type TxnResult } from '@quorate/tree';
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

  /**
   * Compares the tree with what the leader said when it proposed the txn that was applied last. A server whose tree has gone another way must not answer from it.
   *
   * @throws InvariantError where they differ. Where one of the two keeps no digest, nothing is compared.
   */
  checkDigest(expected: TxnDigest | undefined): void {
    const { digest } = this.tree;
    if (expected === undefined || digest === undefined || agree(expected, digest)) return;
    throw new InvariantError(
      `after txn ${formatZxid(this.lastZxid)} the tree has the digest ${formatDigest(digest)}, and the leader said ${formatDigest(expected)}`,
    );
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
  static deserialize(bytes: Uint8Array, options?: DataTreeOptions): Database {
    const reader = new JuteReader(bytes);
    if (reader.int() !== FORMAT_VERSION) throw new ProtocolError('BAD_VALUE', 'the snapshot of a server is of a version that is not known');
    const sessions = reader.buffer();
    if (sessions === null) throw new ProtocolError('BAD_VALUE', 'the snapshot of a server begins with its sessions');
    const tree = bytes.subarray(bytes.length - reader.remaining);
    return new Database(DataTree.deserialize(tree, options), SessionTable.deserialize(sessions));
  }
}

function* concat(first: Iterable<Uint8Array>, second: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield* first;
  yield* second;
}
