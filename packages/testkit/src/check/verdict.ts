/** A property that did not hold. */
export interface Violation {
  /** The property, as the papers and specifications name it. */
  readonly property: string;
  readonly message: string;
}

/** Where checkers report. The first violation counts: what comes after it may be its consequence. */
export class Verdict {
  #violation: Violation | undefined;

  get violation(): Violation | undefined {
    return this.#violation;
  }

  get isClean(): boolean {
    return this.#violation === undefined;
  }

  fail(property: string, message: string): void {
    this.#violation ??= { property, message };
  }
}
