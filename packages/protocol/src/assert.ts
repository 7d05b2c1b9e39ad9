/** A bug of ours: something that cannot be is. Whoever catches it stops the server; it is never an answer to anybody. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * States a fact that holds in every correct run. Always on.
 *
 * @param fact a fixed string, never built for the call, so that a true assertion costs nothing.
 * @throws InvariantError where it does not hold.
 */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new InvariantError(fact);
}

/** Marks a condition that is surprising and legal, either way. It does nothing; it tells the reader. */
export function maybe(_condition: boolean): void {}

/**
 * The default of an exhaustive switch: compiles only where every case is handled.
 *
 * @throws InvariantError always.
 */
export function unreachable(value: never): never {
  // A message may hold a bigint, which JSON refuses: what tells the case apart is all that is printed.
  const { kind, type } = Object(value) as { readonly kind?: unknown; readonly type?: unknown };
  throw new InvariantError(`unreachable: ${String(kind ?? type ?? value)}`);
}
