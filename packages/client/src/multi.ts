/** Several writes as one txn: what a caller hands in, and what it gets back. */
import {
  ErrorCode,
  type ErrorName,
  errorName,
  type MultiOp,
  type MultiRequest,
  type MultiResponse,
  OpCode,
  type OpResult,
  type Stat,
  unreachable,
  ZooKeeperError,
} from '@quorate/protocol';
import type { CreateOptions, Data } from './arguments.js';
import { checkRequest, createRequest, deleteRequest, setDataRequest } from './requests.js';

/** One operation of a multi. Versions are as in `Client.delete` and `Client.setData`. */
export type Operation =
  | ({ readonly op: 'create'; readonly path: string; readonly data?: Data | undefined } & CreateOptions)
  | { readonly op: 'delete'; readonly path: string; readonly version?: number | undefined }
  | { readonly op: 'setData'; readonly path: string; readonly data: Data; readonly version?: number | undefined }
  /** Fails unless the znode exists and has the version. */
  | { readonly op: 'check'; readonly path: string; readonly version?: number | undefined };

/** What one operation of a multi gave. */
export type OperationResult =
  | { readonly op: 'create'; readonly path: string }
  | { readonly op: 'delete' }
  | { readonly op: 'setData'; readonly stat: Stat }
  | { readonly op: 'check' };

/** The results in the order of the operations, each of the type that belongs to its operation. */
export type MultiResults<Operations extends readonly Operation[]> = {
  -readonly [Index in keyof Operations]: Extract<OperationResult, { readonly op: Operations[Index]['op'] }>;
};

/** A multi was refused because of one operation; none of them was performed. `code` and `path` are those of that operation. */
export class MultiError extends ZooKeeperError {
  /** Which operation failed, from 0. */
  readonly index: number;
  /** Per operation: OK before the one that failed (and undone), its code, RUNTIME_INCONSISTENCY after it. */
  readonly results: readonly ErrorName[];

  constructor(index: number, results: readonly ErrorName[], op: MultiOp | undefined) {
    const code = results[index] ?? 'SYSTEM_ERROR';
    super(code, `multi, operation ${index}${op === undefined ? '' : ` on ${op.path}`}: ${code}`, { path: op?.path, operation: 'multi' });
    this.index = index;
    this.results = results;
  }
}

export function multiRequest(operations: readonly Operation[]): MultiRequest {
  if (!Array.isArray(operations)) throw new TypeError('operations must be an array');
  return { type: OpCode.multi, ops: eachOf(operations, requestOf) };
}

/** What is made of each operation. What is wrong with one is told with its index. */
export function eachOf<Op extends { readonly path: string }, T>(operations: readonly Op[], make: (operation: Op) => T): T[] {
  // A hole is an operation too, which `map` would pass over.
  return Array.from(operations, (operation, index) => {
    try {
      return make(operation);
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof ZooKeeperError) throw new ZooKeeperError(error.code, `operation ${index}: ${message}`, { path: operation.path });
      throw new TypeError(`operation ${index}: ${message}`);
    }
  });
}

/** @throws MultiError where the multi was refused. */
export function multiResults(request: MultiRequest, response: MultiResponse): OperationResult[] {
  const failed = response.results.findIndex((result) => result.type === OpCode.error && result.err !== ErrorCode.OK);
  if (failed !== -1) throw new MultiError(failed, response.results.map(codeOf), request.ops[failed]);
  return response.results.map(resultOf);
}

function requestOf(operation: Operation): MultiOp {
  switch (operation?.op) {
    case 'create':
      if ('protected' in operation)
        throw new TypeError('a create of a multi cannot be protected: only whether all of it was done could be told');
      // Apache ZooKeeper takes create2 within a multi and answers it without the Stat (3.8.0), so nothing is gained by it.
      return plainly(createRequest(operation.path, operation.data, operation));
    case 'delete':
      return deleteRequest(operation.path, operation.version);
    case 'setData':
      return setDataRequest(operation.path, operation.data, operation.version);
    case 'check':
      return checkRequest(operation.path, operation.version);
    default:
      throw new TypeError("op must be 'create', 'delete', 'setData' or 'check'");
  }
}

function plainly(request: MultiOp): MultiOp {
  return request.type === OpCode.create2 ? { ...request, type: OpCode.create } : request;
}

function codeOf(result: OpResult): ErrorName {
  return result.type === OpCode.error ? (errorName(result.err) ?? 'SYSTEM_ERROR') : 'OK';
}

function resultOf(result: OpResult): OperationResult {
  switch (result.type) {
    case OpCode.create:
    case OpCode.create2:
      return { op: 'create', path: result.path };
    case OpCode.delete:
      return { op: 'delete' };
    case OpCode.setData:
      return { op: 'setData', stat: result.stat };
    case OpCode.check:
      return { op: 'check' };
    case OpCode.error:
      throw new ZooKeeperError('MARSHALLING_ERROR', 'a multi was answered by results that do not belong to its operations', {
        operation: 'multi',
      });
    default:
      return unreachable(result);
  }
}
