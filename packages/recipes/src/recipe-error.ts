const brand: unique symbol = Symbol.for('@quorate/recipes/RecipeError') as never;

/** Why a recipe could not do what it was asked, besides ZooKeeper's own reasons. The names are stable. */
export type RecipeErrorCode =
  /** `timeoutMs` has passed. Nothing is held. */
  | 'TIMEOUT'
  /** What was held, or waited for, is gone: somebody else has removed its znode. */
  | 'LOST'
  /** The reason of a signal whose owner has released what it belongs to. */
  | 'RELEASED'
  /** The recipe was disposed of, and is asked for something. */
  | 'DISPOSED'
  /** Somebody else's change or decision stands against it. */
  | 'CONFLICT'
  /** A queue has as many items as it may have. Nothing was done. */
  | 'FULL'
  /** A number would leave the range that is exact, or the numbers of a line are used up. Nothing was done. */
  | 'OUT_OF_RANGE'
  /** There is no such version, or none any more. */
  | 'NOT_KEPT'
  /** A service has no instance. */
  | 'NO_INSTANCE'
  /** A znode has data that are not of the recipe's form, or that the schema does not allow. */
  | 'INVALID_DATA';

/** A recipe could not do what it was asked. `code` is stable, the message is free. */
export class RecipeError extends Error {
  override readonly name = 'RecipeError';
  readonly code: RecipeErrorCode;

  constructor(code: RecipeErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }

  get [brand](): true {
    return true;
  }
}

/** True for a `RecipeError`, also of another copy of this package; with `code`, only for that one. */
export function isRecipeError<C extends RecipeErrorCode>(error: unknown, code?: C): error is RecipeError & { readonly code: C } {
  if (typeof error !== 'object' || error === null || (error as { [brand]?: unknown })[brand] !== true) return false;
  return code === undefined || (error as RecipeError).code === code;
}
