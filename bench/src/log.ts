/** The store on files: appends that wait for the disk, beside what the disk can do by itself, and the start from a long log. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogStorage } from '@quorate/log';
import { FileDisk } from '@quorate/node';
import { realClock } from '@quorate/ports';
import { makeZxid, type Zxid } from '@quorate/protocol';
import type { StoredImage } from '@quorate/zab';
import { type Baseline, measure, type Report } from './report.js';

export interface LogBench {
  readonly timeMs: number;
  /** In the log that is recovered. */
  readonly txns: number;
}

const PAYLOAD = new Uint8Array(100).fill(7);
const APPENDS = 64;

export async function benchLog({ timeMs, txns }: LogBench, report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-log-'));
  try {
    const baseline: Baseline = { name: 'write of 100 B and fdatasync, one after the other', perSecond: await rateOfDisk(folder, timeMs) };
    report.heading('Log on files, appends of 100 B', baseline);
    for (const outstanding of [1, 16, 256]) {
      const store = await Store.open(join(folder, `appends-${outstanding}`));
      report.rate(
        `${outstanding} outstanding`,
        await measure(timeMs, APPENDS * outstanding, () => store.append(APPENDS * outstanding, outstanding)),
        baseline,
      );
      store.close();
    }
    await benchRecovery(join(folder, 'recovery'), txns, report);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Into a file that has been written before, as a segment has. */
async function rateOfDisk(folder: string, timeMs: number): Promise<number> {
  const file = await open(join(folder, 'baseline'), 'w');
  try {
    await file.write(new Uint8Array(1024 * 1024));
    await file.datasync();
    let at = 0;
    return await measure(timeMs, APPENDS, async () => {
      for (let i = 0; i < APPENDS; i++) {
        await file.write(PAYLOAD, 0, PAYLOAD.length, at);
        await file.datasync();
        at = (at + PAYLOAD.length) % (1024 * 1000);
      }
    });
  } finally {
    await file.close();
  }
}

async function benchRecovery(directory: string, txns: number, report: Report): Promise<void> {
  const store = await Store.open(directory);
  const payloads = Array.from({ length: 1_000 }, () => PAYLOAD);
  for (let i = 0; i < txns; i += payloads.length) await store.appendRun(payloads);
  store.close();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const again = await Store.open(directory);
  report.amount(`start from a log of ${txns.toLocaleString('en')} txns`, performance.now() - startedAt, 'ms');
  const { user, system } = process.cpuUsage(cpu);
  report.amount('of CPU', (user + system) / 1_000, 'ms');
  again.close();
}

class Store {
  private next = makeZxid(1, 1);
  private readonly storage: LogStorage;

  private constructor(storage: LogStorage) {
    this.storage = storage;
  }

  /** Tries until the directory is free: it is given back by `close`, a little later. */
  static async open(directory: string): Promise<Store> {
    for (;;) {
      const storage = new LogStorage({ disk: FileDisk.open(directory), clock: realClock });
      const image = await new Promise<StoredImage | Error>((resolve) => storage.recover(resolve));
      if (!(image instanceof Error)) return new Store(storage);
      if (!('code' in image && image.code === 'LOCKED')) throw image;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** So many, each as soon as one of those before has completed. */
  append(count: number, outstanding: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let [begun, done] = [0, 0];
      const one = (): void => {
        begun++;
        this.storage.append(this.take([PAYLOAD]), (error) => {
          if (error !== undefined) reject(error);
          else if (++done === count) resolve();
          else if (begun < count) one();
        });
      };
      for (let i = 0; i < outstanding; i++) one();
    });
  }

  appendRun(payloads: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.storage.append(this.take(payloads), (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  close(): void {
    this.storage.close();
  }

  private take(payloads: readonly Uint8Array[]): { readonly zxid: Zxid; readonly payloads: readonly Uint8Array[] } {
    const zxid = this.next;
    this.next = (zxid + payloads.length) as Zxid;
    return { zxid, payloads };
  }
}
