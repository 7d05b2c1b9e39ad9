/** Whether two observations are the same, zxids by their order alone. */
import { type Observation, type Plain, ZXID_FIELDS } from './observation.ts';

/** A place where the two differ; undefined where one has nothing there. */
export interface Difference {
  readonly where: string;
  readonly theirs: Plain | undefined;
  readonly ours: Plain | undefined;
}

/**
 * The zxids of two servers that have stood in the same place. Invariant: the order of one's is the order of the other's, equality included.
 * 0 and −1 are no txns: they stand for themselves.
 */
export class ZxidPairs {
  readonly #theirs: number[] = [];
  readonly #ours: number[] = [];

  /** Notes a pair; false where it contradicts an earlier one. */
  add(theirs: number, ours: number): boolean {
    if (theirs <= 0 || ours <= 0) return theirs === ours;
    let at = this.#theirs.length;
    while (at > 0 && (this.#theirs[at - 1] as number) > theirs) at--;
    if (at > 0 && this.#theirs[at - 1] === theirs) return this.#ours[at - 1] === ours;
    if (at > 0 && (this.#ours[at - 1] as number) >= ours) return false;
    if (at < this.#ours.length && (this.#ours[at] as number) <= ours) return false;
    this.#theirs.splice(at, 0, theirs);
    this.#ours.splice(at, 0, ours);
    return true;
  }
}

/** Every difference between two observations of the same step. */
export function compare(theirs: Observation, ours: Observation, zxids: ZxidPairs): Difference[] {
  const differences: Difference[] = [];
  walk(theirs as unknown as Plain, ours as unknown as Plain, '', differences, zxids);
  return differences;
}

function walk(theirs: Plain | undefined, ours: Plain | undefined, where: string, found: Difference[], zxids: ZxidPairs): void {
  if (isObject(theirs) && isObject(ours)) {
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)]))
      walk(theirs[key], ours[key], where === '' ? key : `${where}.${key}`, found, zxids);
    return;
  }
  if (Array.isArray(theirs) && Array.isArray(ours)) {
    for (let i = 0; i < Math.max(theirs.length, ours.length); i++)
      walk(theirs[i] as Plain | undefined, ours[i] as Plain | undefined, `${where}[${i}]`, found, zxids);
    return;
  }
  const isZxid = ZXID_FIELDS.has(where.slice(where.lastIndexOf('.') + 1));
  if (isZxid && typeof theirs === 'number' && typeof ours === 'number') {
    if (!zxids.add(theirs, ours)) found.push({ where: `${where}, by its order`, theirs, ours });
  } else if (theirs !== ours) {
    found.push({ where, theirs, ours });
  }
}

function isObject(value: Plain | undefined): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
