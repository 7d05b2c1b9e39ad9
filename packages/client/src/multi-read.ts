/** Several reads of one state: what a caller hands in, and what it gets back. */
import {
  errorName,
  type MultiReadOp,
  type MultiReadRequest,
  type MultiReadResponse,
  OpCode,
  type ReadResult,
  type Stat,
  unreachable,
  ZooKeeperError,
} from '@quorate/protocol';
import { checkPath } from './arguments.js';
import { eachOf } from './multi.js';

/** One read of a multiRead. */
export type ReadOperation = { readonly op: 'getData'; readonly path: string } | { readonly op: 'getChildren'; readonly path: string };

/** What one read gave: what it asked for, or the error why there is nothing. */
export type ReadOperationResult =
  | { readonly op: 'getData'; readonly data: Uint8Array; readonly stat: Stat; readonly error?: undefined }
  | { readonly op: 'getChildren'; readonly children: string[]; readonly error?: undefined }
  | { readonly op: 'getData'; readonly data?: undefined; readonly stat?: undefined; readonly error: ZooKeeperError }
  | { readonly op: 'getChildren'; readonly children?: undefined; readonly error: ZooKeeperError };

/** The results in the order of the reads, each of the type that belongs to its read. */
export type MultiReadResults<Operations extends readonly ReadOperation[]> = {
  -readonly [Index in keyof Operations]: Extract<ReadOperationResult, { readonly op: Operations[Index]['op'] }>;
};

export function multiReadRequest(operations: readonly ReadOperation[]): MultiReadRequest {
  if (!Array.isArray(operations)) throw new TypeError('operations must be an array');
  return { type: OpCode.multiRead, ops: eachOf(operations, requestOf) };
}

/** The results of the reads; those that were refused are among them. */
export function multiReadResults({ ops }: MultiReadRequest, { results }: MultiReadResponse): ReadOperationResult[] {
  return ops.map((op, index) => resultOf(op, results[index]));
}

function requestOf(operation: ReadOperation): MultiReadOp {
  if (operation?.op !== 'getData' && operation?.op !== 'getChildren') throw new TypeError("op must be 'getData' or 'getChildren'");
  checkPath(operation.path);
  return { type: OpCode[operation.op], path: operation.path, watch: false };
}

function resultOf({ type, path }: MultiReadOp, result: ReadResult | undefined): ReadOperationResult {
  const op = type === OpCode.getData ? 'getData' : 'getChildren';
  if (result === undefined || (result.type !== type && result.type !== OpCode.error))
    throw new ZooKeeperError('MARSHALLING_ERROR', 'a multiRead was answered by results that do not belong to its reads', {
      operation: 'multiRead',
    });
  switch (result.type) {
    case OpCode.getData:
      return { op: 'getData', data: result.data ?? new Uint8Array(0), stat: result.stat };
    case OpCode.getChildren:
      return { op: 'getChildren', children: result.children as string[] };
    case OpCode.error: {
      const code = errorName(result.err) ?? 'SYSTEM_ERROR';
      return { op, error: new ZooKeeperError(code, `${op} ${path}: ${code}`, { path, operation: op }) };
    }
    default:
      return unreachable(result);
  }
}
