/** A property that does not hold, as an exception: it ends the transition that broke it, and the search. */

export class PropertyViolation extends Error {
  override readonly name = 'PropertyViolation';
  readonly property: string;

  constructor(property: string, message: string) {
    super(message);
    this.property = property;
  }
}

/** @throws PropertyViolation always. */
export function fail(property: string, message: string): never {
  throw new PropertyViolation(property, message);
}
