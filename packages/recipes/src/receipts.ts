/** Several receipts, for txns that need not wait for each other. */
import type { Client, Operation } from '@quorate/client';
import type { CreateMode } from '@quorate/protocol';
import type { ZnodeOptions } from './parents.js';
import { Receipt } from './receipt.js';

/** How many txns of one object are under way at a time; more of them wait. Each takes a receipt, which is made when it is first needed. */
const RECEIPTS_MAX = 16;

export class Receipts {
  readonly #make: () => Receipt;
  readonly #idle: Receipt[] = [];
  readonly #all: Receipt[] = [];
  readonly #waiting: ((receipt: Receipt) => void)[] = [];

  /** As the constructor of `Receipt`. */
  constructor(client: Client, directory: string, directoryMode: CreateMode, options: ZnodeOptions) {
    this.#make = () => new Receipt(client, directory, directoryMode, options);
  }

  /** As `Receipt.commit`, but does not wait for earlier calls unless there are many. */
  async commit(operations: readonly Operation[]): Promise<void> {
    const receipt = await this.#acquire();
    try {
      await receipt.commit(operations);
    } finally {
      const next = this.#waiting.shift();
      if (next !== undefined) next(receipt);
      else this.#idle.push(receipt);
    }
  }

  /** Removes the receipts once nothing is under way. The next txns make others. */
  async remove(): Promise<void> {
    await Promise.all(this.#all.map((receipt) => receipt.remove()));
  }

  #acquire(): Promise<Receipt> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#all.length === RECEIPTS_MAX) return new Promise((resolve) => this.#waiting.push(resolve));
    const receipt = this.#make();
    this.#all.push(receipt);
    return Promise.resolve(receipt);
  }
}
