/** The rules of a server's options, for whoever lets a user choose them, and how one that breaks its rule is refused: by its name, the rule and what it was. */

/** Options that are whole numbers, each with the least and the greatest. */
export const SERVER_NUMBERS: ReadonlyMap<string, readonly [min: number, max: number]> = new Map([
  ['tickTimeMs', [1, 60_000]],
  ['initLimit', [1, 10_000]],
  ['syncLimit', [1, 10_000]],
  ['snapshotEvery', [1, Number.MAX_SAFE_INTEGER]],
  ['minSessionTimeoutMs', [1, 0x7fff_ffff]],
  ['maxSessionTimeoutMs', [1, 0x7fff_ffff]],
  ['containerCheckIntervalMs', [1, 0x7fff_ffff]],
  ['containersPerMinuteMax', [1, 0x7fff_ffff]],
  ['containerNeverUsedMaxMs', [0, Number.MAX_SAFE_INTEGER]],
]);

/** Options that are true or false. */
export const SERVER_BOOLEANS: readonly string[] = ['localSessions', 'localSessionsUpgrading', 'readOnlyMode', 'digest', 'enforceQuota'];

/** Options that are records of numbers above 0, each with the names of these: those that must be there, and those that may. */
const SERVER_RECORDS: ReadonlyMap<string, { readonly needed: readonly string[]; readonly others: readonly string[] }> = new Map([
  ['requestThrottle', { needed: [], others: ['bytesMax', 'requestsMax', 'waitMsMax', 'largeRequestBytes', 'largeRequestsBytesMax'] }],
  ['connectionThrottle', { needed: ['tokensMax', 'tokensPerSecond'], others: ['newSessionTokens', 'localSessionTokens', 'renewTokens'] }],
]);

/** @throws TypeError unless the condition holds. */
export function checkOption(condition: boolean, name: string, rule: string, value: unknown): void {
  if (!condition) throw new TypeError(`${name} must be ${rule}, not ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`);
}

/** @throws TypeError unless the value is a whole number of that range. */
export function checkWholeOption(name: string, value: unknown, [min, max]: readonly [min: number, max: number]): void {
  checkOption(
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    name,
    `a whole number from ${min} to ${max}`,
    value,
  );
}

/**
 * Checks an option that is a record of numbers.
 *
 * @returns whether it is one.
 * @throws TypeError where it breaks its rule.
 */
export function checkRecordOption(name: string, value: unknown): boolean {
  const record = SERVER_RECORDS.get(name);
  if (record === undefined) return false;
  const { needed, others } = record;
  const isRecord = typeof value === 'object' && value !== null;
  const rule = needed.length === 0 ? 'an object' : `an object with ${needed.join(' and ')}`;
  checkOption(isRecord && needed.every((field) => (value as Record<string, unknown>)[field] !== undefined), name, rule, value);
  for (const [field, number] of Object.entries(value as object)) {
    const fields = [...needed, ...others];
    if (!fields.includes(field)) throw new TypeError(`${field} is not an option of ${name}: it has ${fields.join(', ')}`);
    if (number !== undefined) checkOption(typeof number === 'number' && number > 0, `${name}.${field}`, 'a number above 0', number);
  }
  return true;
}
