/** A multi that is put together step by step. */
import { type CallOptions, type CreateOptions, checkOptions, type Data, ownBytes } from './arguments.js';
import type { MultiResults, Operation } from './multi.js';

type Of<Op extends Operation['op']> = Extract<Operation, { readonly op: Op }>;

type Commit = <const Operations extends readonly Operation[]>(
  operations: Operations,
  options: CallOptions | undefined,
) => Promise<MultiResults<Operations>>;

/**
 * Writes that are performed as one txn, or none of them. Made by `Client.transaction`; each step gives a new one, so that one may be the beginning of several.
 *
 * @example
 * const [, created, { stat }] = await client
 *   .transaction()
 *   .check('/config', 3)
 *   .create('/config/next', 'x')
 *   .setData('/config/current', 'next')
 *   .commit();
 */
export class Transaction<Operations extends readonly Operation[] = []> {
  readonly operations: Operations;
  readonly #commit: Commit;

  /** @internal */
  constructor(operations: Operations, commit: Commit) {
    this.operations = operations;
    this.#commit = commit;
  }

  /** Fails unless the znode exists and has the version; any when absent. */
  check(path: string, version?: number): Transaction<[...Operations, Of<'check'>]> {
    return this.#with({ op: 'check', path, version });
  }

  /** As `Client.create`; its result has the path alone. */
  create(path: string, data?: Data, options?: CreateOptions): Transaction<[...Operations, Of<'create'>]> {
    checkOptions(options);
    return this.#with({ ...options, op: 'create', path, data: now(data) });
  }

  /** As `Client.setData`. */
  setData(path: string, data: Data, version?: number): Transaction<[...Operations, Of<'setData'>]> {
    return this.#with({ op: 'setData', path, data: now(data), version });
  }

  /** As `Client.delete`. */
  delete(path: string, version?: number): Transaction<[...Operations, Of<'delete'>]> {
    return this.#with({ op: 'delete', path, version });
  }

  /**
   * Performs it.
   *
   * @throws what `Client.multi` throws.
   */
  commit(options?: CallOptions): Promise<MultiResults<Operations>> {
    return this.#commit(this.operations, options);
  }

  #with<Next extends Operation>(operation: Next): Transaction<[...Operations, Next]> {
    return new Transaction([...this.operations, operation], this.#commit);
  }
}

/** Bytes as they are at the step: what they are at the commit may be another transaction's. */
function now<D extends Data | undefined>(data: D): D | Uint8Array {
  return typeof data === 'object' ? ownBytes(data) : data;
}
