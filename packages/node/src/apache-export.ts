/** The store of a server of ours as a data directory of an Apache ZooKeeper. */
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeDamage, type Inspection, inspect } from '@quorate/log';
import type { DiskError } from '@quorate/ports';
import { decodeTxn, type Zxid } from '@quorate/protocol';
import { Database, type StoredImage } from '@quorate/server';
import { checkEmpty } from './apache-import.js';
import { apacheSnapshot } from './apache-snapshot-writer.js';
import { FileDisk } from './file-disk.js';
import { meteredDisk } from './metered-disk.js';
import type { OnProgress } from './work-progress.js';

export interface ExportOptions {
  /** The folder of the store. No process uses it. */
  readonly dataDir: string;
  /** Where to write: a folder that is empty, or is not there yet. The files are in its folder `version-2`. */
  readonly directory: string;
  readonly onProgress?: OnProgress | undefined;
}

export interface Exported {
  /** The path of the snapshot. */
  readonly snapshot: string;
  readonly lastZxid: Zxid;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly znodes: number;
  readonly sessions: number;
}

/**
 * Writes all that a store holds as a snapshot from which Apache ZooKeeper starts, and its epochs. The store stays as it is. Txns at its end that no quorum had yet are written,
 * too, as they would be taken by the next leader.
 *
 * @throws RangeError where the folder is not empty, or the store is damaged or empty; DiskError LOCKED where a process uses the store.
 */
export async function exportApache({ dataDir, directory, onProgress = () => {} }: ExportOptions): Promise<Exported> {
  const folder = join(directory, 'version-2');
  await stat(dataDir);
  await mkdir(directory, { recursive: true });
  await checkEmpty(directory);
  const { image, damage } = await inspectStore(dataDir, onProgress);
  if (damage !== undefined)
    throw new RangeError(`${dataDir} is damaged, ${describeDamage(damage)}: quorate doctor ${dataDir} says what to do`);
  if (image.snapshot === undefined && image.runs.length === 0)
    throw new RangeError(`${dataDir} has nothing to export: it is no store, or an empty one`);
  const database = databaseOf(image);
  const { lastZxid, tree, sessions } = database;
  await mkdir(folder);
  const { acceptedEpoch, currentEpoch } = image;
  const snapshot = join(folder, `snapshot.${lastZxid.toString(16)}`);
  const onZnodes = (done: number): void => onProgress({ step: 'write', done, total: tree.nodeCount, unit: 'znodes' });
  await writeFlushed(snapshot, apacheSnapshot(database, onZnodes));
  await writeFlushed(join(folder, 'acceptedEpoch'), [new TextEncoder().encode(String(acceptedEpoch))]);
  await writeFlushed(join(folder, 'currentEpoch'), [new TextEncoder().encode(String(currentEpoch))]);
  await flushFolder(folder);
  await flushFolder(directory);
  return { snapshot, lastZxid, acceptedEpoch, currentEpoch, znodes: tree.nodeCount, sessions: sessions.size };
}

/** What a store holds, which no process may use meanwhile. Nothing in it changes. @throws DiskError. */
export async function inspectStore(dataDir: string, onProgress: OnProgress = () => {}): Promise<Inspection> {
  let done = 0;
  const files = FileDisk.open(dataDir);
  const disk = meteredDisk(files, {
    onBytes: (count) => {
      done += count;
      // How much of a segment is in use is known once it has been read.
      onProgress({ step: 'read', done, total: undefined, unit: 'bytes' });
    },
  });
  try {
    await new Promise<void>((resolve, reject) => disk.lock((error?: DiskError) => (error === undefined ? resolve() : reject(error))));
    return await new Promise((resolve, reject) => inspect(disk, (result) => (result instanceof Error ? reject(result) : resolve(result))));
  } finally {
    disk.close();
    await files.released;
  }
}

/**
 * What the bytes of a store come to.
 *
 * @throws ProtocolError, InvariantError where they are not those of a server, though the store has given them as they were written.
 */
export function databaseOf({ snapshot, runs }: StoredImage): Database {
  const database = snapshot === undefined ? new Database() : Database.deserialize(Buffer.concat(snapshot.pieces), snapshot.zxid);
  for (const { payloads } of runs) {
    for (const payload of payloads) {
      const { header, txn, digest } = decodeTxn(payload);
      database.apply(header, txn, () => {});
      database.checkDigest(digest);
    }
  }
  return database;
}

async function writeFlushed(file: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    for (const piece of pieces) await handle.writeFile(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync();
  await handle.close();
}
