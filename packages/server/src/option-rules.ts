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
