/**
 * How many connections one address may have (ZooKeeper: `maxClientCnxns`), so that one machine that opens connections in a loop harms only itself.
 *
 * Unless a limit is given, it is ZooKeeper's 60, and the clients of this machine have none: they are many processes of one owner behind one address, and
 * a listener serves for all servers of an ensemble, where ZooKeeper counts for each server.
 */
import { CONNECTIONS_PER_ADDRESS_MAX } from './limits.js';

export class ConnectionsByAddress {
  readonly #max: number | undefined;
  readonly #counts = new Map<string, number>();

  /** @param max for every address; as said above when absent. */
  constructor(max?: number) {
    this.#max = max;
  }

  /** A client has connected; false where its address has enough connections already. */
  enter(address: string): boolean {
    const count = this.#counts.get(address) ?? 0;
    if (count >= (this.#max ?? (isOwn(address) ? Infinity : CONNECTIONS_PER_ADDRESS_MAX))) return false;
    this.#counts.set(address, count + 1);
    return true;
  }

  /** One that was let in is gone. */
  leave(address: string): void {
    const count = this.#counts.get(address) ?? 0;
    if (count > 1) this.#counts.set(address, count - 1);
    else this.#counts.delete(address);
  }
}

function isOwn(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
