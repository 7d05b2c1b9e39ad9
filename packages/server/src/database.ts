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

/** The same, of a tree that is not of one moment yet. */
const FORMAT_VERSION_FUZZY = 3;

/** What Apache's snapshots begin with (record `FileHeader`): "ZKSN", a version, and a number that is not used. */
const APACHE_MAGIC = 0x5a4b534e;
const APACHE_VERSION = 2;

const SESSION_BYTES = 12;

export class Database {
  readonly tree: DataTree;
  readonly sessions: SessionTable;

  /** The tree is one of Apache's, and not known to be of one moment: txns are replayed over it. */
  #fuzzy: boolean;

  constructor(tree = new DataTree(), sessions = new SessionTable(), { fuzzy }: { readonly fuzzy: boolean } = { fuzzy: false }) {
    this.tree = tree;
    this.sessions = sessions;
    this.#fuzzy = fuzzy;
  }

  /** The last txn that was applied. */
  get lastZxid(): Zxid {
    return this.tree.lastZxid;
  }

  /** Applies the next txn. It cannot fail: prepare has let it pass. */
  apply(header: TxnHeader, txn: Txn, onChange: ChangeListener): TxnResult {
    if (txn.type === OpCode.createSession) this.sessions.add(header.clientId, txn.timeOut);
    else if (txn.type === OpCode.closeSession) this.sessions.remove(header.clientId);
    return this.#fuzzy ? this.tree.replay(header, txn, onChange) : this.tree.apply(header, txn, onChange);
  }

  /**
   * Compares the tree with what the leader said when it proposed the txn that was applied last. A server whose tree has gone another way must not answer from it.
   *
   * @throws InvariantError where they differ. Where one of the two keeps no digest, nothing is compared.
   */
  checkDigest(expected: TxnDigest | undefined): void {
    const { digest } = this.tree;
    if (this.#fuzzy) {
      // Trees with the same digest are the same: from here on it is of one moment, and goes on exactly.
      if (expected !== undefined && digest?.version === expected.version && agree(expected, digest)) this.#fuzzy = false;
      return;
    }
    if (expected === undefined || digest === undefined || agree(expected, digest)) return;
    throw new InvariantError(
      `after txn ${formatZxid(this.lastZxid)} the tree has the digest ${formatDigest(digest)}, and the leader said ${formatDigest(expected)}`,
    );
  }

  /** The whole state, exact at `lastZxid` of this moment, in pieces of 64 KiB at most that are made one at a time while txns are applied. */
  snapshot(): Iterable<Uint8Array> {
    const writer = new JuteWriter();
    writer.int(this.#fuzzy ? FORMAT_VERSION_FUZZY : FORMAT_VERSION);
    writer.buffer(this.sessions.serialize());
    // The tree's length is known only when all of it is written, so it goes on to the end.
    return concat(piecesOf(writer.finish()), this.tree.snapshot());
  }

  /**
   * @param zxid of the last txn that the snapshot holds as a whole, which Apache's does not say itself.
   * @throws ProtocolError for bytes that no `snapshot` gave, and no server of Apache's.
   */
  static deserialize(bytes: Uint8Array, zxid: Zxid, options?: DataTreeOptions): Database {
    const reader = JuteReader.sharing(bytes);
    const version = reader.int();
    if (version === APACHE_MAGIC) return Database.readApache(JuteReader.sharing(bytes), zxid, options);
    if (version !== FORMAT_VERSION && version !== FORMAT_VERSION_FUZZY)
      throw new ProtocolError('BAD_VALUE', 'the snapshot of a server is of a version that is not known');
    const sessions = reader.buffer();
    if (sessions === null) throw new ProtocolError('BAD_VALUE', 'the snapshot of a server begins with its sessions');
    const tree = DataTree.deserialize(bytes.subarray(bytes.length - reader.remaining), options);
    return new Database(tree, SessionTable.deserialize(sessions), { fuzzy: version === FORMAT_VERSION_FUZZY });
  }

  /**
   * What a snapshot of Apache's holds (`FileSnap`, `SerializeUtils.deserializeSnapshot`); the reader then stands behind its tree.
   *
   * @param zxid of the last txn that it holds as a whole.
   * @throws ProtocolError for bytes of no server of Apache's.
   */
  static readApache(reader: JuteReader, zxid: Zxid, options?: DataTreeOptions): Database {
    if (reader.int() !== APACHE_MAGIC) throw new ProtocolError('BAD_VALUE', "a snapshot of Apache's begins with ZKSN");
    const version = reader.int();
    if (version !== APACHE_VERSION) throw new ProtocolError('BAD_VALUE', `a snapshot of Apache's is of the version ${version}`);
    reader.long();
    const sessions = new SessionTable();
    for (const { id, timeOut } of reader.vector((from) => ({ id: from.long(), timeOut: from.int() }), SESSION_BYTES)) {
      if (id === 0n || timeOut < 0) throw new ProtocolError('BAD_VALUE', 'a session in a snapshot is none');
      sessions.add(id, timeOut);
    }
    return new Database(DataTree.readApache(reader, zxid, options), sessions, { fuzzy: true });
  }
}

function* concat(first: Iterable<Uint8Array>, second: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield* first;
  yield* second;
}
