/** A store as a list of entries: dumber than what is compared with it. The state of the application is the list itself. */
import { type Random, randomBelow } from '@quorate/ports';
import { crc32, epochOf, formatZxid, makeZxid, type Zxid } from '@quorate/protocol';
import { type Completion, lastZxidOf, type Run, type Snapshot, type Storage, type StoredImage } from '@quorate/zab';

interface Entry {
  readonly zxid: Zxid;
  readonly payload: Uint8Array;
}

/** One call of a storage. */
export type Act = (storage: Storage, done: Completion) => void;

export class StorageModel {
  /** All that was ever delivered and is not cut off, from the first txn on: what the snapshots cover too. */
  #entries: Entry[] = [];
  /** The last txn of a snapshot. Nothing is cut below it. */
  #snapshot = 0 as Zxid;
  #acceptedEpoch = 0;
  #currentEpoch = 0;
  #mark: string | undefined;

  get lastZxid(): Zxid {
    return this.#entries[this.#entries.length - 1]?.zxid ?? (0 as Zxid);
  }

  /** The whole of a store as text: epochs, mark, and the history that snapshot and runs make together. */
  describe(): string {
    return `${this.#acceptedEpoch} ${this.#currentEpoch} ${this.#mark}: ${print(this.#entries)}`;
  }

  static describe({ acceptedEpoch, currentEpoch, mark, snapshot, runs, damage }: StoredImage): string {
    if (damage !== undefined) return damage;
    const below = snapshot === undefined ? '' : snapshot.pieces.map((piece) => String.fromCharCode(...piece)).join('');
    return `${acceptedEpoch} ${currentEpoch} ${mark?.ensembleId}: ${below}${print(entriesOf(runs))}`;
  }

  /** The next call, done here already; and what it is. */
  draw(random: Random): [name: string, act: Act] {
    const draw = randomBelow(random, 20);
    if (draw < 11) return this.#append(random);
    if (draw < 13) return this.#truncate(random);
    if (draw < 16) return this.#saveSnapshot(random);
    if (draw === 16) return this.#install(random);
    const epoch = this.#currentEpoch + randomBelow(random, 3);
    if (draw === 17) {
      this.#acceptedEpoch = epoch;
      return [`saveAcceptedEpoch ${epoch}`, (storage, done) => storage.saveAcceptedEpoch(epoch, done)];
    }
    if (draw === 18) {
      this.#currentEpoch = epoch;
      return [`saveCurrentEpoch ${epoch}`, (storage, done) => storage.saveCurrentEpoch(epoch, done)];
    }
    this.#mark = this.#mark === undefined ? 'ensemble' : undefined;
    const mark = this.#mark === undefined ? undefined : { ensembleId: this.#mark };
    return ['saveMark', (storage, done) => storage.saveMark(mark, done)];
  }

  #append(random: Random): [string, Act] {
    const run = this.#drawRun(random);
    this.#take(run);
    return [`append ${run.zxid} and ${run.payloads.length - 1} more`, (storage, done) => storage.append(run, done)];
  }

  #drawRun(random: Random): Run {
    const last = this.lastZxid;
    const zxid = last === 0 || randomBelow(random, 6) === 0 ? makeZxid(epochOf(last) + 1, 1) : ((last + 1) as Zxid);
    const payloads = Array.from({ length: 1 + randomBelow(random, 4) }, () =>
      Uint8Array.from({ length: randomBelow(random, 60) }, () => randomBelow(random, 256)),
    );
    return { zxid, payloads };
  }

  #take(run: Run): void {
    this.#entries.push(...entriesOf([run]));
  }

  #truncate(random: Random): [string, Act] {
    const places = [this.#snapshot, ...this.#entries.map(({ zxid }) => zxid)].filter((zxid) => zxid >= this.#snapshot).slice(-6);
    const zxid = places[randomBelow(random, places.length)] as Zxid;
    this.#entries = this.#entries.filter((entry) => entry.zxid <= zxid);
    return [`truncate ${zxid}`, (storage, done) => storage.truncate(zxid, done)];
  }

  #saveSnapshot(random: Random): [string, Act] {
    // One that is cut small takes longer than what is ordered meanwhile.
    const snapshot = this.#state(randomBelow(random, 3) === 0 ? 8 : 100);
    this.#snapshot = snapshot.zxid;
    return [`saveSnapshot ${snapshot.zxid}`, (storage, done) => storage.saveSnapshot(snapshot.zxid, snapshot.pieces, done)];
  }

  #install(random: Random): [string, Act] {
    // A history of other servers, which may be longer or shorter than this one.
    this.#entries = this.#entries.slice(0, randomBelow(random, this.#entries.length + 1));
    this.#take(this.#drawRun(random));
    const snapshot = this.#state();
    this.#snapshot = snapshot.zxid;
    const runs = Array.from({ length: randomBelow(random, 3) }, () => {
      const run = this.#drawRun(random);
      this.#take(run);
      return run;
    });
    return [`installSnapshot ${snapshot.zxid}`, (storage, done) => storage.installSnapshot(snapshot, runs, done)];
  }

  #state(pieceBytes = 100): Snapshot {
    const bytes = Uint8Array.from(print(this.#entries), (c) => c.charCodeAt(0));
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
      bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
    );
    return { zxid: this.lastZxid, pieces };
  }

  /** A place from which somebody might want to read. */
  drawPlace(random: Random): Zxid {
    const { zxid = 0 as Zxid } = this.#entries[randomBelow(random, this.#entries.length + 1)] ?? {};
    return zxid;
  }

  /** `right`, or what is wrong with what was read. How far the log reaches back below the snapshot is the store's affair. */
  checkRead(after: Zxid, runs: readonly Run[] | undefined | Error): string {
    if (runs instanceof Error) return runs.message;
    if (runs === undefined) return after >= this.#snapshot ? 'undefined although the log has it' : 'right';
    const right = this.#entries.filter(({ zxid }) => zxid > after);
    const read = entriesOf(runs);
    if (read.length === 0 && right.length > 0) return 'nothing although there is something';
    return print(read) === print(right.slice(0, read.length)) ? 'right' : print(read);
  }
}

function print(entries: readonly Entry[]): string {
  return entries.map(({ zxid, payload }) => `${formatZxid(zxid)}=${payload.length}:${crc32(payload).toString(16)} `).join('');
}

function entriesOf(runs: readonly Run[]): Entry[] {
  return runs.flatMap((run) => {
    if (run.payloads.length === 0 || lastZxidOf(run) < run.zxid) throw new Error('a run is never empty');
    return run.payloads.map((payload, i) => ({ zxid: (run.zxid + i) as Zxid, payload }));
  });
}
