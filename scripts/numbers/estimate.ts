/** A mean with what it is worth. */
export interface Estimate {
  readonly mean: number;
  /** Its standard error. */
  readonly error: number;
}

/** Of parts that are about independent of one another. */
export function estimate(parts: readonly number[]): Estimate {
  const mean = parts.reduce((a, b) => a + b) / parts.length;
  const variance = parts.reduce((sum, part) => sum + (part - mean) ** 2, 0) / (parts.length - 1);
  return { mean, error: Math.sqrt(variance / parts.length) };
}

/** Whether a formula is within four standard errors: a true one is not in one of 16,000 runs, and a seed makes a run the same every time. */
export function agrees(formula: number, { mean, error }: Estimate): boolean {
  return Math.abs(formula - mean) <= 4 * error;
}
