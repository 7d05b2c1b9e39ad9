/** A data directory of an Apache ZooKeeper as the store of a server of ours. */
import { readdir } from 'node:fs/promises';
import type { Notice } from '@quorate/log';
import { DiskError } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import { Database, type Storage } from '@quorate/server';
import { type ApacheDirectory, type ApacheDirectoryOptions, readApacheDirectory } from './apache-directory.js';
import { isLockName } from './directory-lock.js';
import { completed, recovered, withStore } from './server-parts.js';
import type { OnProgress } from './work-progress.js';

export interface ImportOptions extends ApacheDirectoryOptions {
  /** The folder of the new store. It exists and is empty. */
  readonly dataDir: string;
  /** The name of the new ensemble, the same for all its servers. */
  readonly ensembleId: string;
}

export interface Imported extends Omit<ApacheDirectory, 'database'> {
  /** The last txn that the store has. */
  readonly lastZxid: Zxid;
  readonly znodes: number;
  readonly sessions: number;
}

/**
 * Makes of a data directory of an Apache ZooKeeper the store of a voter of a new ensemble: tree, sessions, last zxid and epochs. It changes nothing there.
 *
 * The store is marked last, so one that was left half way is that of nobody: its folder is to be emptied before another try.
 *
 * @throws ApacheFileError where the directory is not in order; RangeError where the folder is not empty; DiskError what the disk says.
 */
export async function importApache(options: ImportOptions): Promise<Imported> {
  const { dataDir, ensembleId, onProgress = () => {} } = options;
  if (ensembleId === '') throw new RangeError('an ensemble has a name: ensembleId must not be empty');
  await checkEmpty(dataDir);
  const { database, ...read } = await readApacheDirectory(options);
  const { tree, sessions, lastZxid } = database;
  // All that the logs have was applied, so what was a tree of many moments is now one of this one.
  const exact = new Database(tree, sessions);
  await writeStore(dataDir, { ...read, lastZxid, ensembleId, pieces: reported(exact.snapshot(), onProgress) });
  return { ...read, lastZxid, znodes: tree.nodeCount, sessions: sessions.size };
}

/** @throws RangeError where there is something in a folder; what the system says, where there is no folder. */
export async function checkEmpty(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !isLockName(name));
  if (names.length > 0)
    throw new RangeError(`${folder} is not empty, it has ${names.slice(0, 3).join(', ')}: give a folder with nothing in it`);
}

interface Content {
  readonly lastZxid: Zxid;
  readonly pieces: Iterable<Uint8Array>;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly ensembleId: string;
}

async function writeStore(dataDir: string, { lastZxid, pieces, acceptedEpoch, currentEpoch, ensembleId }: Content): Promise<void> {
  let skipped: Notice | undefined;
  const onNotice = (notice: Notice): void => {
    if (notice.type === 'snapshotSkipped') skipped = notice;
  };
  const fill = async (store: Storage): Promise<void> => {
    await recovered(store);
    await completed((done) => store.saveSnapshot(lastZxid, pieces, done));
    if (skipped !== undefined) throw new DiskError('NO_SPACE', `there is no room for the snapshot in ${dataDir}`);
    await completed((done) => store.saveAcceptedEpoch(acceptedEpoch, done));
    await completed((done) => store.saveCurrentEpoch(currentEpoch, done));
    await completed((done) => store.saveMark({ ensembleId }, done));
  };
  await withStore(dataDir, fill, onNotice);
}

function* reported(pieces: Iterable<Uint8Array>, onProgress: OnProgress): Generator<Uint8Array> {
  let done = 0;
  for (const piece of pieces) {
    yield piece;
    done += piece.length;
    onProgress({ step: 'write', done, total: undefined, unit: 'bytes' });
  }
}
