import { expect, test } from 'vitest';
import {
  assert,
  CreateMode,
  createModeFromFlag,
  ErrorCode,
  errorName,
  InvariantError,
  isEphemeral,
  isProtocolError,
  isSequential,
  isZooKeeperError,
  maybe,
  OpCode,
  opCodeName,
  ProtocolError,
  unreachable,
  ZooKeeperError,
} from '../src/index.js';

/** `KeeperException.Code`, all of it. */
const table = [
  ['OK', 0],
  ['SYSTEM_ERROR', -1],
  ['RUNTIME_INCONSISTENCY', -2],
  ['DATA_INCONSISTENCY', -3],
  ['CONNECTION_LOSS', -4],
  ['MARSHALLING_ERROR', -5],
  ['UNIMPLEMENTED', -6],
  ['OPERATION_TIMEOUT', -7],
  ['BAD_ARGUMENTS', -8],
  ['UNKNOWN_SESSION', -12],
  ['NEW_CONFIG_NO_QUORUM', -13],
  ['RECONFIG_IN_PROGRESS', -14],
  ['API_ERROR', -100],
  ['NO_NODE', -101],
  ['NO_AUTH', -102],
  ['BAD_VERSION', -103],
  ['NO_CHILDREN_FOR_EPHEMERALS', -108],
  ['NODE_EXISTS', -110],
  ['NOT_EMPTY', -111],
  ['SESSION_EXPIRED', -112],
  ['INVALID_CALLBACK', -113],
  ['INVALID_ACL', -114],
  ['AUTH_FAILED', -115],
  ['SESSION_MOVED', -118],
  ['NOT_READ_ONLY', -119],
  ['EPHEMERAL_ON_LOCAL_SESSION', -120],
  ['NO_WATCHER', -121],
  ['REQUEST_TIMEOUT', -122],
  ['RECONFIG_DISABLED', -123],
  ['SESSION_CLOSED_REQUIRE_SASL_AUTH', -124],
  ['QUOTA_EXCEEDED', -125],
  ['THROTTLED_OP', -127],
] as const;

test('the table of errors is ZooKeeper’s, in both directions', () => {
  expect(Object.entries(ErrorCode)).toEqual(table);
  for (const [name, number] of table) expect(errorName(number)).toBe(name);
  for (const number of [1, -9, -10, -104, -126, -128, Number.NaN]) expect(errorName(number)).toBeUndefined();
});

test('a ZooKeeperError says what, where and why', () => {
  const cause = new Error('because');
  const error = new ZooKeeperError('NO_NODE', 'there is no /a', { path: '/a', operation: 'getData', cause });
  expect(error).toMatchObject({ name: 'ZooKeeperError', code: 'NO_NODE', number: -101, path: '/a', operation: 'getData', cause });
  expect(error).toBeInstanceOf(Error);
  const bare = new ZooKeeperError('OK', '');
  expect(bare.path).toBeUndefined();
  expect('cause' in bare).toBe(false);
});

test('errors are known by their brand, from another copy of this package too', () => {
  const error = new ZooKeeperError('NO_NODE', 'there is no /a');
  expect(isZooKeeperError(error)).toBe(true);
  expect(isZooKeeperError(error, 'NO_NODE')).toBe(true);
  expect(isZooKeeperError(error, 'NODE_EXISTS')).toBe(false);
  expect(isZooKeeperError({ [Symbol.for('@quorate/protocol/ZooKeeperError')]: true, code: 'NO_NODE' }, 'NO_NODE')).toBe(true);
  for (const other of [undefined, null, 0, 'NO_NODE', {}, new Error('NO_NODE'), new ProtocolError('BAD_VALUE', '')]) {
    expect(isZooKeeperError(other)).toBe(false);
  }
  const protocol = new ProtocolError('TRUNCATED', 'short');
  expect(isProtocolError(protocol)).toBe(true);
  expect(isProtocolError(protocol, 'TRUNCATED')).toBe(true);
  expect(isProtocolError(protocol, 'BAD_UTF8')).toBe(false);
  for (const other of [undefined, null, error, new Error('TRUNCATED')]) expect(isProtocolError(other)).toBe(false);
});

test('an assertion throws an InvariantError, maybe never', () => {
  expect(() => assert(true, 'fine')).not.toThrow();
  expect(() => assert(false, 'the fact')).toThrow(new InvariantError('the fact'));
  expect(() => unreachable({ type: 9, sessionId: 1n } as never)).toThrow(new InvariantError('unreachable: 9'));
  for (const value of [1n, undefined, null, 'word', {}]) expect(() => unreachable(value as never)).toThrow(InvariantError);
  maybe(true);
  maybe(false);
});

test('create modes are ZooKeeper’s flags', () => {
  expect(Object.values(CreateMode)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(Object.values(CreateMode).filter(isEphemeral)).toEqual([1, 3]);
  expect(Object.values(CreateMode).filter(isSequential)).toEqual([2, 3, 6]);
  for (const mode of Object.values(CreateMode)) expect(createModeFromFlag(mode)).toBe(mode);
  for (const flag of [-1, 7, 1.5, Number.NaN]) expect(createModeFromFlag(flag)).toBeUndefined();
});

test('operations have one number each, and names', () => {
  const numbers = Object.values(OpCode);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(opCodeName(15)).toBe('create2');
  expect(opCodeName(-11)).toBe('closeSession');
  expect(opCodeName(10)).toBeUndefined();
});
