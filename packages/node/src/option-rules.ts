/** How an option that breaks its rule is refused: by its name, the rule and what it was. */

/** @throws TypeError unless the condition holds. */
export function check(condition: boolean, name: string, rule: string, value: unknown): void {
  if (!condition) throw new TypeError(`${name} must be ${rule}, not ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`);
}

/** @throws TypeError unless the value is a whole number of that range. */
export function checkWhole(name: string, value: unknown, min: number, max: number): void {
  check(
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    name,
    `a whole number from ${min} to ${max}`,
    value,
  );
}
