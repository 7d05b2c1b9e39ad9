import { makeZxid, OPEN_ACL_UNSAFE, OpCode, type Txn, type TxnHeader } from '@quorate/protocol';
import { Database } from '../../packages/server/src/database.ts';

/** What a server knows that holds so many znodes and a session with ephemerals. */
export function databaseOf(znodes: number): Database {
  const database = new Database();
  const header = (counter: number, type: number): TxnHeader => ({ clientId: 7n, cxid: counter, zxid: makeZxid(1, counter), time: 1, type });
  database.apply(header(1, OpCode.createSession), { type: OpCode.createSession, timeOut: 6_000 }, () => {});
  for (let index = 2; index < znodes + 2; index++) {
    const ephemeral = index % 3 === 0;
    const txn: Txn = {
      type: OpCode.create,
      path: `/n${index}`,
      data: Uint8Array.of(1, 2, 3),
      acl: OPEN_ACL_UNSAFE,
      ephemeral,
      parentCVersion: index - 1,
    };
    database.apply(header(index, OpCode.create), txn, () => {});
  }
  return database;
}

/** Its snapshot. */
export function stateOf(database: Database): Uint8Array {
  return new Uint8Array(Buffer.concat([...database.snapshot()]));
}
