import type { Clock } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import { Log, type Run } from './log.js';
import type { Completion, Snapshot, Storage, StoredImage } from './storage.js';

/** Storage in memory: it survives a crash of the server, as long as the object is kept, and not the end of the process. */
export class MemoryStorage implements Storage {
  readonly #clock: Clock;
  #acceptedEpoch = 0;
  #currentEpoch = 0;
  #snapshot: Snapshot | undefined;
  readonly #log = new Log(0 as Zxid);
  /** Counts the openings, so that a completion that is on its way when the server crashes reaches nobody. */
  #opening = 0;

  constructor(options: { readonly clock: Clock }) {
    this.#clock = options.clock;
  }

  recover(done: (result: StoredImage | Error) => void): void {
    const image: StoredImage = {
      acceptedEpoch: this.#acceptedEpoch,
      currentEpoch: this.#currentEpoch,
      snapshot: this.#snapshot,
      runs: this.#log.runs(this.#log.base, this.#log.lastZxid),
    };
    this.#later(() => done(image));
  }

  append(run: Run, done: Completion): void {
    this.#log.append(run);
    this.#later(done);
  }

  truncate(zxid: Zxid, done: Completion): void {
    this.#log.truncate(zxid);
    this.#later(done);
  }

  saveAcceptedEpoch(epoch: number, done: Completion): void {
    this.#acceptedEpoch = epoch;
    this.#later(done);
  }

  saveCurrentEpoch(epoch: number, done: Completion): void {
    this.#currentEpoch = epoch;
    this.#later(done);
  }

  installSnapshot(snapshot: Snapshot, runs: readonly Run[], done: Completion): void {
    this.#snapshot = snapshot;
    this.#log.reset(snapshot.zxid);
    for (const run of runs) this.#log.append(run);
    this.#later(done);
  }

  saveSnapshot(snapshot: Snapshot, done: Completion): void {
    this.#snapshot = snapshot;
    this.#log.compact(snapshot.zxid, 0);
    this.#later(done);
  }

  close(): void {
    this.#opening++;
  }

  #later(done: () => void): void {
    const opening = this.#opening;
    this.#clock.defer(() => {
      if (opening === this.#opening) done();
    });
  }
}
