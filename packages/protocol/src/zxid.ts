import { assert } from './assert.js';
import { ProtocolError } from './protocol-error.js';

declare const zxidBrand: unique symbol;

/**
 * The number of a txn: the epoch of its leader above, a counter below, totally ordered by `<`.
 *
 * ZooKeeper keeps 32 bits of each in an i64 (`ZxidUtils`). Here it is one number, `epoch * 2^32 + counter`, exact because an
 * epoch has at most 21 bits. Two negative values exist besides: −1 and −2^63, which servers without a history and watch events send.
 */
export type Zxid = number & { readonly [zxidBrand]: true };

/** The greatest epoch: 2^21 − 1. */
export const EPOCH_MAX = 0x1f_ffff;

/** The greatest counter within an epoch: 2^32 − 1. */
export const COUNTER_MAX = 0xffff_ffff;

/** The zxid before every txn. */
export const NO_ZXID = 0 as Zxid;

const COUNTERS = 0x1_0000_0000;
const LEAST_I64 = -(2 ** 63);

/** The zxid of `counter` within `epoch`. */
export function makeZxid(epoch: number, counter: number): Zxid {
  assert(Number.isInteger(epoch) && epoch >= 0 && epoch <= EPOCH_MAX, 'an epoch is a whole number from 0 to 2^21 - 1');
  assert(Number.isInteger(counter) && counter >= 0 && counter <= COUNTER_MAX, 'a counter is a whole number from 0 to 2^32 - 1');
  return (epoch * COUNTERS + counter) as Zxid;
}

/** The epoch of a zxid; negative for the two negative ones, as in ZooKeeper. */
export function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / COUNTERS);
}

/** The counter of a zxid, 0 to 2^32 − 1. */
export function counterOf(zxid: Zxid): number {
  return zxid >>> 0;
}

/**
 * The zxid whose i64 has these two halves, `high` signed or not.
 *
 * @throws ProtocolError EPOCH_TOO_LARGE for an epoch above `EPOCH_MAX`, −1 and −2^63 as whole values excepted.
 */
export function zxidFromHalves(high: number, low: number): Zxid {
  const unsignedHigh = high >>> 0;
  const unsignedLow = low >>> 0;
  if (unsignedHigh <= EPOCH_MAX) return (unsignedHigh * COUNTERS + unsignedLow) as Zxid;
  if (unsignedHigh === 0xffff_ffff && unsignedLow === 0xffff_ffff) return -1 as Zxid;
  if (unsignedHigh === 0x8000_0000 && unsignedLow === 0) return LEAST_I64 as Zxid;
  throw new ProtocolError('EPOCH_TOO_LARGE', 'the epoch of a zxid is above 2^21 - 1');
}

/**
 * The zxid of an i64; more bits are cut off.
 *
 * @throws ProtocolError EPOCH_TOO_LARGE for an epoch above `EPOCH_MAX`, −1 and −2^63 as whole values excepted.
 */
export function zxidFromBigInt(value: bigint): Zxid {
  return zxidFromHalves(Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asUintN(32, value)));
}

/** The i64 of a zxid. */
export function zxidToBigInt(zxid: Zxid): bigint {
  return BigInt(zxid);
}

/** A zxid as ZooKeeper prints it: `0x100000002`; a negative one as its 64 bits, `0xffffffffffffffff`. */
export function formatZxid(zxid: Zxid): string {
  return zxid >= 0 ? `0x${zxid.toString(16)}` : `0x${BigInt.asUintN(64, BigInt(zxid)).toString(16)}`;
}
