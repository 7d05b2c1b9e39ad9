/**
 * What a data directory of an Apache ZooKeeper comes to, read as Apache reads it when it starts (`FileTxnSnapLog.restore`), without changing anything: the newest snapshot that
 * is whole, and over it every txn of the logs above it.
 *
 * Where Apache goes on with a message in its log, this refuses: a log with a hole, a tree with another digest, less than a snapshot says there was.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  COUNTER_MAX,
  counterOf,
  EPOCH_MAX,
  epochOf,
  formatZxid,
  InvariantError,
  NO_ZXID,
  type TxnDigest,
  type Zxid,
  zxidFromBigInt,
} from '@quorate/protocol';
import type { Database } from '@quorate/server';
import { agree, formatDigest } from '@quorate/tree';
import { ApacheFileError } from './apache-file-error.js';
import { type LogEnd, type LoggedTxn, readLogFile } from './apache-log-file.js';
import { type ApacheSnapshot, readSnapshotFile } from './apache-snapshot-file.js';
import type { OnProgress } from './work-progress.js';

export interface ApacheDirectoryOptions {
  /** The folder with the data, or the folder `version-2` in it. */
  readonly directory: string;
  /** The same for the logs (`dataLogDir`); the same folder when absent. */
  readonly logDirectory?: string | undefined;
  /** Takes a tree whose digest is not what the last txn says. Only whoever knows why it is another should say so. */
  readonly ignoreDigest?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** What there is, and in which state. */
export interface ApacheDirectory {
  /** As Apache would serve it. */
  readonly database: Database;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** The path of the snapshot that was taken. */
  readonly snapshot: string;
  /** Which its name has. */
  readonly snapshotZxid: Zxid;
  /** Newer snapshots that cannot be read, and are not needed, because the logs reach back to this one. */
  readonly spared: readonly ApacheFileError[];
  /** The logs that were read, oldest first. */
  readonly logs: readonly ApacheLog[];
  /** Digests of the snapshot and of txns that the tree was compared with, and how many of them were its own. The last one was, where there is one and it is not ignored. */
  readonly digests: { readonly compared: number; readonly agreed: number };
}

export interface ApacheLog extends LogEnd {
  readonly file: string;
  readonly txns: number;
}

interface NumberedFile {
  readonly file: string;
  readonly zxid: Zxid;
}

const SNAPSHOT = /^snapshot\.([0-9a-f]{1,16})(?:\.gz|\.snappy)?$/;
const LOG = /^log\.([0-9a-f]{1,16})$/;

/** Whether there are files of Apache's in a folder, or in the folder `version-2` in it. */
export async function isApacheDirectory(directory: string): Promise<boolean> {
  const names = await readdir(await folderOf(directory));
  return names.some((name) => SNAPSHOT.test(name) || LOG.test(name));
}

/** @throws ApacheFileError for whatever is in the way of all of it. */
export async function readApacheDirectory(options: ApacheDirectoryOptions): Promise<ApacheDirectory> {
  const { directory, logDirectory = directory, ignoreDigest = false, onProgress = () => {} } = options;
  const folder = await folderOf(directory);
  const snapshots = await filesOf(folder, SNAPSHOT);
  const logs = await filesOf(await folderOf(logDirectory), LOG);
  const newest = snapshots[snapshots.length - 1];
  const meter = await Meter.of([...snapshots.slice(-1), ...logsAbove(logs, newest?.zxid ?? NO_ZXID)], onProgress);
  const { found, spared } = await newestSnapshot(folder, snapshots, meter);
  const replay = new Replay(found);
  const read: ApacheLog[] = [];
  for (const log of logsAbove(logs, found.zxid)) read.push(await replay.read(log.file, meter));
  replay.finish({ newest: newest ?? found, ignoreDigest });
  const { database } = found.snapshot;
  const epochs = await readEpochs(folder, database.lastZxid);
  return { database, ...epochs, snapshot: found.file, snapshotZxid: found.zxid, spared, logs: read, digests: replay.digests };
}

async function folderOf(directory: string): Promise<string> {
  const inner = join(directory, 'version-2');
  for (const folder of [inner, directory]) if ((await stat(folder).catch(() => undefined))?.isDirectory() === true) return folder;
  throw new ApacheFileError('NOT_FOUND', { file: directory }, 'there is no such folder');
}

/** In the order of their zxids. */
async function filesOf(folder: string, pattern: RegExp): Promise<NumberedFile[]> {
  const files: NumberedFile[] = [];
  for (const name of await readdir(folder)) {
    const digits = pattern.exec(name)?.[1];
    if (digits !== undefined) files.push({ file: join(folder, name), zxid: zxidFromBigInt(BigInt(`0x${digits}`)) });
  }
  return files.sort((one, other) => one.zxid - other.zxid || (one.file < other.file ? -1 : 1));
}

export interface FoundSnapshot extends NumberedFile {
  readonly snapshot: ApacheSnapshot;
}

async function newestSnapshot(
  folder: string,
  files: readonly NumberedFile[],
  meter: Meter,
): Promise<{ readonly found: FoundSnapshot; readonly spared: readonly ApacheFileError[] }> {
  const spared: ApacheFileError[] = [];
  for (const each of [...files].reverse()) {
    try {
      return { found: { ...each, snapshot: await readSnapshotFile(each.file, each.zxid, meter.onBytes) }, spared };
    } catch (error) {
      if (!(error instanceof ApacheFileError)) throw error;
      spared.push(error);
    }
  }
  if (spared[0] !== undefined) throw spared[0];
  throw new ApacheFileError('NOT_FOUND', { file: folder }, 'there is no snapshot, without which Apache does not start either');
}

/** Those that may have a txn above `zxid`: from the last one on that begins at the next or before. */
function logsAbove(logs: readonly NumberedFile[], zxid: Zxid): readonly NumberedFile[] {
  const first = logs.findLastIndex((log) => log.zxid <= zxid + 1);
  return logs.slice(Math.max(0, first));
}

/** Applies what the logs say to the database of a snapshot. */
export class Replay {
  readonly #database: Database;
  readonly #from: FoundSnapshot;
  #compared = 0;
  #agreed = 0;
  /** The first of the comparisons in a row that came to nothing, up to now. */
  #differs: ApacheFileError | undefined;

  constructor(from: FoundSnapshot) {
    this.#from = from;
    this.#database = from.snapshot.database;
    this.#compareSnapshot();
  }

  get digests(): ApacheDirectory['digests'] {
    return { compared: this.#compared, agreed: this.#agreed };
  }

  async read(file: string, meter: Meter): Promise<ApacheLog> {
    let txns = 0;
    const onTxn = (txn: LoggedTxn): void => {
      txns++;
      this.apply(file, txn);
    };
    const end = await readLogFile(file, { onTxn, onBytes: meter.onBytes });
    return { file, txns, ...end };
  }

  /** @throws ApacheFileError where the txn cannot come here. */
  apply(file: string, { header, txn, digest, offset }: LoggedTxn): void {
    const last = this.#database.lastZxid;
    if (header.zxid <= this.#from.zxid) return;
    if (!follows(last, header.zxid))
      throw new ApacheFileError(
        'DAMAGED',
        { file, offset },
        `${formatZxid(header.zxid)} does not follow ${formatZxid(last)}: txns are missing between them`,
      );
    try {
      this.#database.apply(header, txn, () => {});
    } catch (error) {
      // Whole and nonsense: what a record says is an input, though Apache has put a checksum on it.
      if (!(error instanceof InvariantError)) throw error;
      throw new ApacheFileError('DAMAGED', { file, offset }, `the txn ${formatZxid(header.zxid)} makes no sense: ${error.message}`);
    }
    this.#compareSnapshot();
    if (digest !== undefined) this.#compare(digest, { file, offset });
  }

  /** What stands behind the tree of the snapshot was so when the snapshot had been written. */
  #compareSnapshot(): void {
    const { digest } = this.#from.snapshot;
    if (digest?.zxid === this.#database.lastZxid) this.#compare(digest, { file: this.#from.file });
  }

  /** Before the last txn that the snapshot has something of, the tree is that of no moment, and its digest another. */
  #compare(expected: TxnDigest, place: { readonly file: string; readonly offset?: number }): void {
    const { tree, lastZxid } = this.#database;
    const digest = tree.digest as TxnDigest;
    if (expected.version !== digest.version || lastZxid < (this.#from.snapshot.digest?.zxid ?? NO_ZXID)) return;
    this.#compared++;
    if (agree(expected, digest)) {
      this.#agreed++;
      this.#differs = undefined;
      return;
    }
    const reason = `after ${formatZxid(lastZxid)} the tree has the digest ${formatDigest(digest)}, and Apache said ${formatDigest(expected)}`;
    this.#differs ??= new ApacheFileError('DIGEST', place, reason);
  }

  /** Whether all is there. A digest may differ for a while: Apache predicts that of a few creations wrongly. The last one tells. */
  finish({ newest, ignoreDigest }: { readonly newest: NumberedFile; readonly ignoreDigest: boolean }): void {
    const { lastZxid } = this.#database;
    const { file, snapshot } = this.#from;
    const reached = Math.max(newest.zxid, snapshot.digest?.zxid ?? NO_ZXID) as Zxid;
    const teller = newest.zxid > lastZxid ? newest.file : file;
    if (lastZxid < reached)
      throw new ApacheFileError(
        'DAMAGED',
        { file: teller },
        `there was a txn ${formatZxid(reached)}, and the logs end with ${formatZxid(lastZxid)}`,
      );
    if (this.#differs !== undefined && !ignoreDigest) throw this.#differs;
  }
}

/** Whether a txn may come next: the next counter of the same epoch, or the first of a later one. */
function follows(last: Zxid, zxid: Zxid): boolean {
  return zxid === last + 1 ? counterOf(last) !== COUNTER_MAX : epochOf(zxid) > epochOf(last) && counterOf(zxid) === 1;
}

/** What a server that stands alone does not write down is the epoch of its last txn (`QuorumPeer.loadDataBase`). */
async function readEpochs(folder: string, lastZxid: Zxid): Promise<Pick<ApacheDirectory, 'acceptedEpoch' | 'currentEpoch'>> {
  const [accepted = 0, current = 0] = [await readEpoch(folder, 'acceptedEpoch'), await readEpoch(folder, 'currentEpoch')];
  const currentEpoch = Math.max(current, epochOf(lastZxid));
  return { acceptedEpoch: Math.max(accepted, currentEpoch), currentEpoch };
}

async function readEpoch(folder: string, name: string): Promise<number | undefined> {
  const file = join(folder, name);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const epoch = /^\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (epoch <= EPOCH_MAX) return epoch;
  throw new ApacheFileError(
    'DAMAGED',
    { file, offset: 0 },
    `it must have an epoch, a whole number from 0 to ${EPOCH_MAX}, and has ${JSON.stringify(text)}`,
  );
}

/** Adds up what has been read. */
class Meter {
  readonly onBytes: (count: number) => void;

  private constructor(total: number, onProgress: OnProgress) {
    let done = 0;
    this.onBytes = (count) => {
      done += count;
      // A snapshot that cannot be read is followed by one that was not counted.
      onProgress({ step: 'read', done, total: Math.max(done, total), unit: 'bytes' });
    };
  }

  static async of(files: readonly NumberedFile[], onProgress: OnProgress): Promise<Meter> {
    let total = 0;
    for (const { file } of files) total += (await stat(file)).size;
    return new Meter(total, onProgress);
  }
}
