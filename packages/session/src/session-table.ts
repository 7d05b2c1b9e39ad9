/**
 * The sessions that exist, as all servers agree (`ZKDatabase.sessionsWithTimeouts`): part of the replicated state, changed by createSession and
 * closeSession txns alone and kept in every snapshot. Who is connected where, and when a session expires, is not in it.
 */
import { assert, JuteReader, JuteWriter, ProtocolError } from '@quorate/protocol';

const FORMAT_VERSION = 1;

/** A session's i64 and its timeout's i32. */
const SESSION_BYTES = 12;

/** Session ids and their timeouts. */
export class SessionTable {
  private readonly timeouts = new Map<bigint, number>();

  get size(): number {
    return this.timeouts.size;
  }

  /** A createSession txn. For a session that exists the timeout is set anew, as in ZooKeeper. */
  add(id: bigint, timeoutMs: number): void {
    assert(id !== 0n, 'a session has an id');
    assert(Number.isInteger(timeoutMs) && timeoutMs >= 0 && timeoutMs <= 0x7fff_ffff, 'a session timeout is an int32 and not negative');
    this.timeouts.set(id, timeoutMs);
  }

  /** A closeSession txn. False for a session that does not exist. */
  remove(id: bigint): boolean {
    return this.timeouts.delete(id);
  }

  has(id: bigint): boolean {
    return this.timeouts.has(id);
  }

  /** The negotiated timeout; undefined for a session that does not exist. */
  timeoutMs(id: bigint): number | undefined {
    return this.timeouts.get(id);
  }

  /** All sessions and their timeouts in order of creation. */
  entries(): IterableIterator<[id: bigint, timeoutMs: number]> {
    return this.timeouts.entries();
  }

  /** The whole table as bytes: int 1, then a list of (long id, int timeoutMs) in order of creation. */
  serialize(): Uint8Array {
    const writer = new JuteWriter();
    writer.int(FORMAT_VERSION);
    writer.vector([...this.timeouts], (list, [id, timeoutMs]) => {
      list.long(id);
      list.int(timeoutMs);
    });
    return writer.finish();
  }

  /**
   * The table that `serialize` wrote.
   *
   * @throws ProtocolError for any bytes that no `serialize` wrote.
   */
  static deserialize(bytes: Uint8Array): SessionTable {
    const reader = new JuteReader(bytes);
    if (reader.int() !== FORMAT_VERSION)
      throw new ProtocolError('BAD_VALUE', 'the snapshot of a session table is of a version that is not known');
    const table = new SessionTable();
    const entries = reader.vector((list): [bigint, number] => [list.long(), list.int()], SESSION_BYTES);
    reader.finish();
    for (const [id, timeoutMs] of entries) {
      if (id === 0n || table.has(id)) throw new ProtocolError('BAD_VALUE', 'a session in a table has an id of its own');
      if (timeoutMs < 0) throw new ProtocolError('BAD_VALUE', 'a session timeout is not negative');
      table.add(id, timeoutMs);
    }
    return table;
  }
}
