import { randomBelow, SeededRandom } from '@quorate/ports';
import { makeZxid, type Zxid } from '@quorate/protocol';
import { type Completion, lastZxidOf, type Run, type Storage, type StoredImage } from '@quorate/zab';
import { StorageModel } from './storage-model.js';
import { same, type TestRunner } from './suite.js';

export interface StorageContract extends TestRunner {
  /** An empty store. `open` gives it, as its process finds it; the one before has been closed. `settle` lets callbacks come, where they wait for something. */
  place(): Promise<{ open(): Storage; settle(): void }>;
  /** How many random lives of a store are tried; 30 when absent. */
  readonly lives?: number;
}

const first = makeZxid(1, 1);
const at = (counter: number): Zxid => makeZxid(1, counter);
const payload = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const runOf = (zxid: Zxid, ...payloads: number[]): Run => ({ zxid, payloads: payloads.map((byte) => payload(byte)) });

/** A store, and its calls as promises. */
class Subject {
  storage: Storage;
  readonly #open: () => Storage;
  readonly #settle: () => void;

  constructor({ open, settle }: { open(): Storage; settle(): void }) {
    this.#open = open;
    this.#settle = settle;
    this.storage = open();
  }

  call<T>(start: (storage: Storage, done: (result: T) => void) => void): Promise<T> {
    let within = true;
    const answer = new Promise<T>((resolve, reject) => {
      start(this.storage, (result) => {
        if (within) reject(new Error('a callback came before the method had returned'));
        else resolve(result);
      });
    });
    within = false;
    this.#settle();
    return answer;
  }

  async done(start: (storage: Storage, done: Completion) => void): Promise<void> {
    same(await this.call(start), undefined, 'a call completes without an error');
  }

  async recover(): Promise<StoredImage> {
    const image = await this.call<StoredImage | Error>((storage, done) => storage.recover(done));
    if (image instanceof Error) throw image;
    return image;
  }

  /** The next life of the store. */
  async reopen(): Promise<StoredImage> {
    this.storage.close();
    this.storage = this.#open();
    return this.recover();
  }

  readLog(after: Zxid, bytesMax = 1_000_000): Promise<readonly Run[] | undefined | Error> {
    return this.call((storage, done) => storage.readLog(after, bytesMax, done));
  }
}

/** What every `Storage` must do, as tests. What survives the loss of power cannot be told from here. */
export function storageContract({ describe, test, place, lives = 30 }: StorageContract): void {
  const begin = async (): Promise<Subject> => {
    const subject = new Subject(await place());
    await subject.recover();
    return subject;
  };
  const entries = (runs: readonly Run[]): [Zxid, Uint8Array][] =>
    runs.flatMap(({ zxid, payloads }) => payloads.map((bytes, i): [Zxid, Uint8Array] => [(zxid + i) as Zxid, bytes]));

  describe('Storage', () => {
    test('is empty at first', async () => {
      const image = await new Subject(await place()).recover();
      same(image.damage, undefined, 'a new store is not damaged');
      same([image.acceptedEpoch, image.currentEpoch, image.snapshot, image.runs], [0, 0, undefined, []], 'a new store');
    });

    test('keeps what was appended, and tells of it in order', async () => {
      const subject = await begin();
      const told: number[] = [];
      await subject.done((storage, done) => {
        storage.append(runOf(first, 1, 2), () => told.push(1));
        storage.saveAcceptedEpoch(1, () => told.push(2));
        storage.append(runOf(at(3), 3), () => told.push(3));
        storage.saveCurrentEpoch(1, done);
      });
      same(told, [1, 2, 3], 'completions come in the order of the calls');
      const image = await subject.reopen();
      same(entries(image.runs), entries([runOf(first, 1, 2, 3)]), 'the log');
      same([image.acceptedEpoch, image.currentEpoch], [1, 1], 'the epochs');
    });

    test('keeps a mark, and takes it away', async () => {
      const subject = await begin();
      await subject.done((storage, done) => storage.saveMark({ ensembleId: 'tést' }, done));
      same((await subject.reopen()).mark, { ensembleId: 'tést' }, 'the mark');
      await subject.done((storage, done) => storage.saveMark(undefined, done));
      same((await subject.reopen()).mark, undefined, 'no mark');
    });

    test('cuts the log in the middle of a run, and goes on from there', async () => {
      const subject = await begin();
      await subject.done((storage, done) => {
        storage.append(runOf(first, 1, 2, 3), () => {});
        storage.append(runOf(at(4), 4), () => {});
        storage.truncate(at(2), () => {});
        storage.append(runOf(makeZxid(2, 1), 9), done);
      });
      const right = entries([runOf(first, 1, 2), runOf(makeZxid(2, 1), 9)]);
      same(entries((await subject.readLog(0 as Zxid)) as Run[]), right, 'read from the log');
      same(entries((await subject.reopen()).runs), right, 'recovered');
      await subject.done((storage, done) => storage.truncate(0 as Zxid, done));
      same((await subject.reopen()).runs, [], 'cut to nothing');
    });

    test('installs a snapshot and what is above it, in the place of everything', async () => {
      const subject = await begin();
      await subject.done((storage, done) => {
        storage.append(runOf(first, 1, 2, 3), () => {});
        storage.installSnapshot({ zxid: at(8), pieces: [payload(1), payload(), payload(2, 3)] }, [runOf(at(9), 9)], done);
      });
      await subject.done((storage, done) => storage.append(runOf(at(10), 10), done));
      const { snapshot, runs } = await subject.reopen();
      same([snapshot?.zxid, snapshot?.pieces.flatMap((piece) => [...piece])], [at(8), [1, 2, 3]], 'the snapshot');
      same(entries(runs), entries([runOf(at(9), 9, 10)]), 'the log above it');
      same(await subject.readLog(at(3)), undefined, 'the log below it is gone');
    });

    test('saves a snapshot while the log goes on', async () => {
      const subject = await begin();
      await subject.done((storage, done) => storage.append(runOf(first, 1, 2, 3), done));
      await subject.done((storage, done) => {
        storage.saveSnapshot(at(2), [payload(1, 2)], done);
        storage.append(runOf(at(4), 4), () => {});
      });
      await subject.done((storage, done) => storage.append(runOf(at(5), 5), done));
      const { snapshot, runs } = await subject.reopen();
      same([snapshot?.zxid, snapshot?.pieces], [at(2), [payload(1, 2)]], 'the snapshot');
      same(entries(runs), entries([runOf(at(3), 3, 4, 5)]), 'the log above it');
    });

    test('forgets a snapshot of its own when a later call installs one', async () => {
      const subject = await begin();
      await subject.done((storage, done) => storage.append(runOf(first, 1, 2, 3), done));
      await subject.done((storage, done) => {
        storage.saveSnapshot(at(3), [payload(1)], () => {});
        storage.installSnapshot({ zxid: at(2), pieces: [payload(2)] }, [], done);
      });
      // Another one, behind it in the same lane.
      await subject.done((storage, done) => storage.saveSnapshot(at(2), [payload(2)], done));
      same((await subject.reopen()).snapshot, { zxid: at(2), pieces: [payload(2)] }, 'the snapshot');
    });

    test('reads the log as the calls before leave it, a part at a time', async () => {
      const subject = await begin();
      const all = runOf(first, 1, 2, 3, 4);
      const read = await subject.call<readonly Run[] | undefined | Error>((storage, done) => {
        storage.append(all, () => {});
        storage.readLog(first, 1_000, done);
        storage.append(runOf(at(5), 5), () => {});
      });
      same(entries(read as Run[]), entries([runOf(at(2), 2, 3, 4)]), 'with what was ordered before, and not with what was after');
      let after = 0 as Zxid;
      const parts: Run[] = [];
      for (let runs = await subject.readLog(after, 2); runs !== undefined; runs = await subject.readLog(after, 2)) {
        if (runs instanceof Error) throw runs;
        if (runs.length === 0) break;
        parts.push(...runs);
        after = lastZxidOf(runs[runs.length - 1] as Run);
      }
      same(entries(parts), entries([runOf(first, 1, 2, 3, 4, 5)]), 'in parts');
      same(await subject.readLog(at(5)), [], 'nothing is above the last');
      same(await subject.readLog(at(6)), undefined, 'a place that is not there');
      same(await subject.readLog(makeZxid(2, 1)), undefined, 'a place of another epoch');
    });

    test('says nothing after close', async () => {
      const subject = await begin();
      let told = 0;
      subject.storage.append(runOf(first, 1), () => told++);
      subject.storage.saveSnapshot(0 as Zxid, [], () => told++);
      subject.storage.readLog(0 as Zxid, 10, () => told++);
      await subject.reopen();
      same(told, 0, 'callbacks after close');
    });

    test('behaves as a list would, through many lives', async () => {
      for (let seed = 1; seed <= lives; seed++) await liveLikeTheModel(new Subject(await place()), seed);
    });
  });
}

/** Random calls, answered like by the model; and now and then a new life. */
async function liveLikeTheModel(subject: Subject, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const model = new StorageModel();
  await subject.recover();
  for (let step = 0; step < 40; step++) {
    const [name, act] = model.draw(random);
    await subject.done(act);
    const after = model.drawPlace(random);
    const runs = await subject.readLog(after, 1 + randomBelow(random, 100));
    same(model.checkRead(after, runs), 'right', `seed ${seed}, step ${step}, ${name}: the log above ${after}`);
    if (randomBelow(random, 8) !== 0) continue;
    same(StorageModel.describe(await subject.reopen()), model.describe(), `seed ${seed}, step ${step}, ${name}: what the next life finds`);
  }
}
