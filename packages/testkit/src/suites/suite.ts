/** What a contract suite needs of whoever runs it: any test runner that has these two. */
export interface TestRunner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

/**
 * States what a contract says.
 *
 * @throws Error with the rule, what was found and what should have been, where they differ.
 */
export function same(found: unknown, right: unknown, rule: string): void {
  const [a, b] = [print(found), print(right)];
  if (a !== b) throw new Error(`${rule}: found ${a}, and right would be ${b}`);
}

function print(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (item instanceof Uint8Array) return [...item].join(' ');
    if (item instanceof Error) return String(item);
    return item === undefined ? 'undefined' : item;
  });
}
