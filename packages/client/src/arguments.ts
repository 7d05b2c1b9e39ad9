/**
 * What callers hand in, checked before anything is sent.
 *
 * A path, mode, version, ACL or size that ZooKeeper's rules forbid is a `ZooKeeperError` as a server would answer it. A value of a
 * type that the declarations forbid is a `TypeError`. Either names the rule.
 */
import { allowManyListeners } from '@quorate/ports';
import {
  type Acl,
  type CreateMode,
  createModeFromFlag,
  encodeUtf8,
  hasTtl,
  isSequential,
  isTtl,
  TTL_MS_MAX,
  validatePath,
  WatcherType,
  ZooKeeperError,
} from '@quorate/protocol';
import type { RetryPolicy } from './retries.js';
import type { Watcher } from './watch-registry.js';

/** Data to be stored: bytes, or a string that is stored as UTF-8. Bytes are copied at the call, so they may be reused at once. */
export type Data = Uint8Array | string;

/** What every call takes. */
export interface CallOptions {
  /**
   * Ends the wait: the call rejects with the signal's reason. A request that was not sent is withdrawn; one that was sent may or may
   * not be performed, so the outcome of an aborted write is unknown.
   */
  readonly signal?: AbortSignal | undefined;
  /** How it is made again after what passes, or false for not at all; as the client's options say when absent. */
  readonly retry?: RetryPolicy | false | undefined;
  /**
   * Whether a write may be performed twice, so that it is made again like a read where its outcome is unknown; false when absent. Its second performance may fail because of its
   * first: a `create` by NODE_EXISTS, a `delete` by NO_NODE, whatever has a version by BAD_VERSION.
   */
  readonly idempotent?: boolean | undefined;
}

/** What reads take. */
export interface WatchOptions extends CallOptions {
  /**
   * Called once, when what was read has changed, before any reply shows the change. It is kept over reconnections and dropped with the
   * session; a read that fails leaves none. What it throws is thrown again from a task of its own, where the platform reports it.
   */
  readonly watch?: Watcher | undefined;
}

/** What `addWatch` takes. */
export interface AddWatchOptions extends CallOptions {
  /** Whether the watch is of everything below the path as well; false when absent. */
  readonly recursive?: boolean | undefined;
  /**
   * Whether what was missed between two connections is found by comparing what is there with what was told of, and told as events instead of `EVENTS_MISSED`; false when absent. What has changed
   * several times is told once, what was deleted and created again as both. It costs a `getChildren` for each znode when the watch is set and after such a reconnection, one after the other, and
   * the memory of their zxids; where one of them may not be read, or there are more than 100,000, `addWatch` rejects, and `EVENTS_MISSED` is told all the same later.
   */
  readonly catchUp?: boolean | undefined;
  /**
   * Called with every event. What it throws is thrown again from a task of its own, where the platform reports it. When absent, the events
   * are kept for the first loop over the watch.
   */
  readonly watch?: Watcher | undefined;
}

/** What `checkWatches` takes. */
export interface WatcherTypeOptions extends CallOptions {
  /** Which watches of the path; `WatcherType.any` when absent. */
  readonly type?: WatcherType | undefined;
}

/** What `removeWatches` takes. */
export interface RemoveWatchesOptions extends WatcherTypeOptions {
  /** Whether the watches go also where no server can be told, because none is connected or the connection ends; false when absent. */
  readonly local?: boolean | undefined;
}

/** What writes to an existing znode take. */
export interface VersionOptions extends CallOptions {
  /** The version that the znode must have, or the call fails with BAD_VERSION; any when absent or −1. */
  readonly version?: number | undefined;
}

/** How a znode is created. */
export interface CreateOptions {
  /** PERSISTENT when absent. */
  readonly mode?: CreateMode | undefined;
  /**
   * For the modes with a TTL, and only for these: how long the znode stays without children and without new data, in milliseconds, 1 to 2^40 − 1
   * (34.8 years). It goes when the leader looks after that, every 60 s.
   */
  readonly ttlMs?: number | undefined;
  /** `OPEN_ACL_UNSAFE` when absent: everybody may do everything. */
  readonly acl?: readonly Acl[] | undefined;
}

/** What `create` takes. */
export interface CreateCallOptions extends CreateOptions, CallOptions {
  /**
   * Makes the create safe to repeat, and repeats it; false when absent. The name gets an id in front (`_c_<32 hexadecimal digits>-`), by which the client finds its own
   * znode after a lost connection or else creates it, until the session ends or `signal` aborts. An aborted one is deleted in the background if it
   * was created. One that somebody has deleted before it was found is created again.
   */
  readonly protected?: boolean | undefined;
}

/** A surrogate without the other one. */
const HALF_A_PAIR = /\p{Surrogate}/u;

/** @throws ZooKeeperError BAD_ARGUMENTS */
export function checkPath(path: string, mode?: CreateMode): void {
  checkString('path', path);
  validatePath(path, mode !== undefined && isSequential(mode) ? { sequential: true } : undefined);
}

/** @throws TypeError */
export function isProtected(options: CreateCallOptions | undefined): boolean {
  return checkBoolean('protected', options?.protected ?? false);
}

/** @throws TypeError */
export function checkBoolean(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, not ${describe(value)}`);
  return value;
}

/** @throws ZooKeeperError BAD_ARGUMENTS for what is no mode, for a mode with a TTL without one, and for another with one. */
export function checkMode(mode: CreateMode, ttlMs: number | undefined): void {
  if (createModeFromFlag(mode) === undefined)
    throw new ZooKeeperError('BAD_ARGUMENTS', `mode must be one of CreateMode, 0 to 6, not ${describe(mode)}`);
  if (!hasTtl(mode)) {
    if (ttlMs !== undefined)
      throw new ZooKeeperError('BAD_ARGUMENTS', 'ttlMs goes with the modes PERSISTENT_WITH_TTL and PERSISTENT_SEQUENTIAL_WITH_TTL only');
  } else if (ttlMs === undefined || !isTtl(ttlMs)) {
    throw new ZooKeeperError(
      'BAD_ARGUMENTS',
      `ttlMs must be a whole number of milliseconds from 1 to ${TTL_MS_MAX}, not ${describe(ttlMs)}`,
    );
  }
}

/** @throws ZooKeeperError BAD_ARGUMENTS */
export function checkVersion(version: number): void {
  if (Number.isInteger(version) && version >= -1 && version <= 0x7fff_ffff) return;
  throw new ZooKeeperError('BAD_ARGUMENTS', `version must be -1, for any, or a whole number from 0 to 2^31 - 1, not ${describe(version)}`);
}

/** @throws ZooKeeperError INVALID_ACL */
export function checkAcl(acl: readonly Acl[]): void {
  if (!Array.isArray(acl)) throw new TypeError(`acl must be an array, not ${describe(acl)}`);
  if (acl.length === 0) throw new ZooKeeperError('INVALID_ACL', 'acl must have at least one entry');
  for (const entry of acl) {
    if (typeof entry?.id?.scheme !== 'string' || typeof entry.id.id !== 'string')
      throw new TypeError('an entry of acl must be { perms, id: { scheme, id } } with two strings');
    if (!Number.isInteger(entry.perms) || entry.perms < 0 || entry.perms > 31)
      throw new ZooKeeperError('INVALID_ACL', `perms must be a combination of Permission, 0 to 31, not ${describe(entry.perms)}`);
  }
}

/** The caller's data as bytes that nobody else can write to. */
export function ownBytes(data: Data | undefined, name = 'data'): Uint8Array {
  if (typeof data === 'string') {
    if (HALF_A_PAIR.test(data))
      throw new TypeError('data must be a string of whole characters: this one has half of a surrogate pair, which is none in UTF-8');
    return encodeUtf8(data);
  }
  if (data === undefined) return new Uint8Array(0);
  // The constructor copies also where the slice of a subclass does not. Another realm has a Uint8Array of its own, which the tag tells.
  if (data instanceof Uint8Array || Object.prototype.toString.call(data) === '[object Uint8Array]') return new Uint8Array(data);
  throw new TypeError(`${name} must be a Uint8Array or a string, not ${describe(data)}`);
}

/** The same of what has to be there. */
export function givenBytes(name: string, data: Data): Uint8Array {
  if (data === undefined) throw new TypeError(`${name} must be a Uint8Array or a string, not undefined`);
  return ownBytes(data, name);
}

/** @throws TypeError */
export function checkWatch(watch: Watcher | undefined): void {
  if (watch !== undefined) checkFunction('watch', watch);
}

/** @throws TypeError */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, not ${describe(value)}`);
}

/** @throws TypeError */
export function checkString(name: string, value: unknown): void {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, not ${describe(value)}`);
}

/** @throws ZooKeeperError BAD_ARGUMENTS */
export function checkWatcherType(type: WatcherType): void {
  if (Object.values(WatcherType).includes(type)) return;
  throw new ZooKeeperError('BAD_ARGUMENTS', `type must be one of WatcherType, 1 to 5, not ${describe(type)}`);
}

/**
 * Options stand in an object of names: what other clients take in their place, a version, a mode, an ACL or a watcher, would be passed over without a word.
 *
 * @throws TypeError
 */
export function checkOptions(options: object | undefined): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new TypeError(`options must be an object like { version: 3 } or { signal }, not ${describe(options)}`);
  if ('aborted' in options) throw new TypeError('options must be an object like { signal }, not the signal itself');
}

/** @throws TypeError that lists the names that there are. */
export function checkNames(what: string, options: object, names: readonly string[]): void {
  const other = Object.keys(options).find((name) => !names.includes(name));
  if (other !== undefined) throw new TypeError(`${other} is not an option of ${what}: these are ${names.join(', ')}`);
}

/** The signal among options that are checked, for any number of listeners: that of a process may end all that it has under way. @throws TypeError */
export function signalGiven(options: CallOptions | undefined): AbortSignal | undefined {
  checkOptions(options);
  const signal = options?.signal;
  if (signal === undefined) return undefined;
  if (typeof signal?.addEventListener !== 'function') throw new TypeError(`signal must be an AbortSignal, not ${describe(signal)}`);
  allowManyListeners(signal);
  return signal;
}

/** The same. @throws TypeError, or the reason of a signal that is aborted already. */
export function signalOf(options: CallOptions | undefined): AbortSignal | undefined {
  const signal = signalGiven(options);
  if (signal?.aborted === true) throw signal.reason;
  return signal;
}

/** @throws TypeError where `value` is not a whole number of that range. */
export function checkWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}, not ${describe(value)}`);
}

/** A value as an error message shows it. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
}
