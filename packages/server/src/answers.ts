/**
 * From an applied txn back to the request that it answers (`CommitProcessor`, `FinalRequestProcessor`).
 *
 * A txn names its session and the xid of the request. That is not quite enough: some clients (kazoo) count from 1 again on every connection, so
 * that a txn which came through another server may bear the xid of a request that was lost here. So type and path have to fit as well.
 */
import { assert, CreateMode, ErrorCode, OpCode, type Request, type Response, type Txn, type TxnHeader } from '@quorate/protocol';
import type { TxnResult } from '@quorate/tree';
import type { PendingRequest } from './pending-request.js';

/** Whether the txn can be what the leader has made of this request. */
export function isAnswerTo({ xid, request }: PendingRequest, { cxid }: TxnHeader, txn: Txn): boolean {
  if (xid !== cxid || request === undefined) return false;
  switch (txn.type) {
    case OpCode.error:
      return true;
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createTTL:
      // A sequential znode has its number behind the path of the request.
      return request.type === txn.type && txn.path.startsWith(request.path);
    case OpCode.createContainer:
      return makesContainer(request) && txn.path.startsWith(request.path);
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.setACL:
      return request.type === txn.type && request.path === txn.path;
    case OpCode.multi:
      return request.type === OpCode.multi && request.ops.length === txn.txns.length;
    default:
      return request.type === txn.type;
  }
}

function makesContainer(request: Request): request is Request & { readonly path: string } {
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return request.flags === CreateMode.CONTAINER;
    default:
      return false;
  }
}

/** The body of the reply to a write. */
export function responseTo(request: Request | undefined, { err, path, stat, results }: TxnResult): Response | undefined {
  if (err !== ErrorCode.OK || request === undefined) return undefined;
  switch (request.type) {
    case OpCode.create:
      assert(path !== undefined, 'a created znode has a path');
      return { type: OpCode.create, path };
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      assert(path !== undefined && stat !== undefined, 'a created znode has a path and a Stat');
      return { type: request.type, path, stat };
    case OpCode.setData:
    case OpCode.setACL:
      assert(stat !== undefined, 'a changed znode has a Stat');
      return { type: request.type, stat };
    case OpCode.multi:
      assert(results !== undefined, 'a multi has results');
      return { type: OpCode.multi, results };
    default:
      return undefined;
  }
}
