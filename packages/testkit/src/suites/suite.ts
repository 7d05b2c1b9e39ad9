/** What the clauses of a contract about time and messages are tried in. */
export interface ContractWorld {
  /** Lets time pass until something holds; throws where it never does. */
  until(holds: () => boolean): Promise<void>;
  /** Lets arrive what is under way. */
  settle(): Promise<void>;
  /** The end of the test. */
  close(): void | Promise<void>;
}

/** One clause of a contract. */
export interface ContractClause<World> {
  readonly name: string;
  /** Throws where it is broken. */
  check(world: World): Promise<void>;
}

export interface ContractSuiteOptions<World> {
  /** As of vitest, jest, mocha, node:test: makes a test of a name and a body that fails by throwing. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A new world for every test. */
  readonly world: () => World | Promise<World>;
}

/** Makes a test of every clause. */
export function testClauses<World extends ContractWorld>(
  contract: readonly ContractClause<World>[],
  { test, world }: ContractSuiteOptions<World>,
): void {
  for (const clause of contract) {
    test(clause.name, async () => {
      const made = await world();
      try {
        await clause.check(made);
      } finally {
        await made.close();
      }
    });
  }
}

/** @throws Error that says what a contract asks for, unless it holds. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`the contract is broken: ${what}`);
}

/** As `check`, that two values are the same. */
export function equal(found: unknown, expected: unknown): void {
  const [one, other] = [summary(found), summary(expected)];
  check(one === other, `found ${one.slice(0, 500)}, expected ${other.slice(0, 500)}`);
}

/** Bytes by their length and sum, because they are many. */
function summary(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part instanceof Uint8Array ? `${part.length} bytes, ${part.reduce((sum, byte, i) => (sum * 31 + byte + i) >>> 0, 0)}` : part,
  );
}

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
