/** What the servers say of their trees while they are under way: at one zxid all of them have one digest. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../packages/node/test/support/ask.ts';

const PAUSE_MS = 50;

export class Digests {
  /** By zxid, as the word `hash` has it. */
  readonly #seen = new Map<string, string>();
  #isRunning = true;
  /** How often a server said the same as another. */
  agreed = 0;
  readonly faults: string[] = [];
  readonly #runs: Promise<unknown>;

  constructor(addresses: readonly string[]) {
    this.#runs = Promise.all(addresses.map((address) => this.#look(address)));
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#runs;
  }

  async #look(address: string): Promise<void> {
    let last = '';
    while (this.#isRunning) {
      // One that does not serve says nothing of its tree.
      const answer = (await ask(address, 'hash').catch(() => '')).trim();
      const [, zxid = '', digest = ''] = /^(\w+): (\S+)$/.exec(answer) ?? [];
      if (zxid !== '' && answer !== last) this.#note(zxid, digest);
      last = answer;
      await sleep(PAUSE_MS);
    }
  }

  #note(zxid: string, digest: string): void {
    const before = this.#seen.get(zxid);
    if (before === undefined) this.#seen.set(zxid, digest);
    else if (before === digest) this.agreed++;
    else this.faults.push(`at ${zxid} one tree is ${before}, another ${digest}`);
  }
}
