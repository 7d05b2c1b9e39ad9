/** What a process takes of the machine's memory, in bytes, looked at again and again. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const LOOK_MS = 100;
const KILOBYTE = 1024;

export class Memory {
  readonly #pid: number;
  readonly before: number;
  #most: number;
  #last: number;
  #isLooking = true;

  private constructor(pid: number, before: number) {
    this.#pid = pid;
    this.before = before;
    this.#most = before;
    this.#last = before;
    void this.#look();
  }

  static async of(pid: number): Promise<Memory> {
    return new Memory(pid, await residentBytes(pid));
  }

  get most(): number {
    return this.#most;
  }

  /** When it was looked at last. */
  get after(): number {
    return this.#last;
  }

  end(): void {
    this.#isLooking = false;
  }

  async #look(): Promise<void> {
    while (this.#isLooking) {
      this.#last = await residentBytes(this.#pid);
      this.#most = Math.max(this.#most, this.#last);
      await sleep(LOOK_MS);
    }
  }
}

/** 0 for a process that is no more. */
async function residentBytes(pid: number): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
    return Number(stdout) * KILOBYTE;
  } catch {
    return 0;
  }
}
