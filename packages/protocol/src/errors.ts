const brand: unique symbol = Symbol.for('@quorate/protocol/ZooKeeperError') as never;

/** Every error code of ZooKeeper (`KeeperException.Code`): our stable name and the number on the wire. */
export const ErrorCode = {
  OK: 0,
  SYSTEM_ERROR: -1,
  RUNTIME_INCONSISTENCY: -2,
  DATA_INCONSISTENCY: -3,
  CONNECTION_LOSS: -4,
  MARSHALLING_ERROR: -5,
  UNIMPLEMENTED: -6,
  OPERATION_TIMEOUT: -7,
  BAD_ARGUMENTS: -8,
  UNKNOWN_SESSION: -12,
  NEW_CONFIG_NO_QUORUM: -13,
  RECONFIG_IN_PROGRESS: -14,
  API_ERROR: -100,
  NO_NODE: -101,
  NO_AUTH: -102,
  BAD_VERSION: -103,
  NO_CHILDREN_FOR_EPHEMERALS: -108,
  NODE_EXISTS: -110,
  NOT_EMPTY: -111,
  SESSION_EXPIRED: -112,
  INVALID_CALLBACK: -113,
  INVALID_ACL: -114,
  AUTH_FAILED: -115,
  SESSION_MOVED: -118,
  NOT_READ_ONLY: -119,
  EPHEMERAL_ON_LOCAL_SESSION: -120,
  NO_WATCHER: -121,
  REQUEST_TIMEOUT: -122,
  RECONFIG_DISABLED: -123,
  SESSION_CLOSED_REQUIRE_SASL_AUTH: -124,
  QUOTA_EXCEEDED: -125,
  THROTTLED_OP: -127,
} as const;

/** The stable name of an error: what a program compares. */
export type ErrorName = keyof typeof ErrorCode;

const namesByNumber: ReadonlyMap<number, ErrorName> = new Map(
  (Object.keys(ErrorCode) as ErrorName[]).map((name) => [ErrorCode[name], name] as const),
);

/** The name of an error number from the wire; undefined for a number that ZooKeeper has not given out. */
export function errorName(number: number): ErrorName | undefined {
  return namesByNumber.get(number);
}

/** What a `ZooKeeperError` is about. */
export interface ZooKeeperErrorOptions {
  readonly path?: string | undefined;
  /** The operation in ZooKeeper's word: `create`, `setData` … */
  readonly operation?: string | undefined;
  readonly cause?: unknown;
}

/** An operation was answered by an error of ZooKeeper's. `code` is stable, the message is free. */
export class ZooKeeperError extends Error {
  override readonly name = 'ZooKeeperError';
  readonly code: ErrorName;
  /** ZooKeeper's number for `code`. */
  readonly number: number;
  readonly path: string | undefined;
  readonly operation: string | undefined;

  constructor(code: ErrorName, message: string, options: ZooKeeperErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.number = ErrorCode[code];
    this.path = options.path;
    this.operation = options.operation;
  }

  get [brand](): true {
    return true;
  }
}

/** True for a `ZooKeeperError`, also of another copy of this package; with `code`, only for that one. */
export function isZooKeeperError<C extends ErrorName>(error: unknown, code?: C): error is ZooKeeperError & { readonly code: C } {
  if (typeof error !== 'object' || error === null || (error as { [brand]?: unknown })[brand] !== true) return false;
  return code === undefined || (error as ZooKeeperError).code === code;
}
