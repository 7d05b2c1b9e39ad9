/** What is in a data directory, ours or Apache ZooKeeper's, and what is wrong with it. Looking changes nothing. */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Damage, Inspection } from '@quorate/log';
import { InvariantError, isProtocolError, type TxnDigest, type Zxid } from '@quorate/protocol';
import type { Database } from '@quorate/server';
import { formatDigest } from '@quorate/tree';
import { type ApacheDirectoryOptions, isApacheDirectory, readApacheDirectory } from './apache-directory.js';
import { databaseOf, inspectStore } from './apache-export.js';
import { ApacheFileError } from './apache-file-error.js';
import { isLockName } from './directory-lock.js';
import type { OnProgress } from './work-progress.js';

/** The worse, the later. */
export const verdicts = ['OK', 'CUT_TAIL', 'SPARED', 'DAMAGED'] as const;

export type Verdict =
  /** All is there. */
  | 'OK'
  /** The last thing that was written was not written to its end, as after a crash: nobody was told that it was. */
  | 'CUT_TAIL'
  /** Something cannot be read, and something else tells the same. */
  | 'SPARED'
  /** Something that was safe once cannot be read. */
  | 'DAMAGED';

export interface Finding {
  readonly verdict: Exclude<Verdict, 'OK'>;
  /** Its path. */
  readonly file: string;
  /** In bytes from the beginning of the file. */
  readonly offset: number;
  readonly reason: string;
}

export interface Examination {
  /** Whose it is. */
  readonly kind: 'quorate' | 'apache';
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** What the directory comes to, as far as it can be read; undefined where nothing can. */
  readonly state: ExaminedState | undefined;
}

export interface ExaminedState {
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** Of the snapshot that is used; undefined where there is none. */
  readonly snapshotZxid: Zxid | undefined;
  readonly lastZxid: Zxid;
  /** Undefined where the store is not marked: its server has no vote. Apache's is not named. */
  readonly ensembleId: string | undefined;
  readonly znodes: number;
  readonly sessions: number;
  /** As ZooKeeper prints it. */
  readonly digest: string;
}

const TORN = 'what follows was not written to its end';
const READ_BYTES = 1024 * 1024;

/**
 * Looks at a data directory that no process uses.
 *
 * @throws RangeError where there is none; ApacheFileError UNSUPPORTED; DiskError LOCKED where a server uses it, and what else the system says.
 */
export async function examineDataDirectory(options: ApacheDirectoryOptions): Promise<Examination> {
  const { directory, onProgress } = options;
  const names = (await readdir(directory)).filter((name) => !isLockName(name));
  if (names.some((name) => /^(?:manifest-[ab]|(?:segment|snapshot)-\d{10})$/.test(name)))
    return await examineStore(directory, names, onProgress);
  if (await isApacheDirectory(directory)) return await examineApache(options);
  throw new RangeError(`${directory} is no data directory: there are files neither of ours nor of Apache ZooKeeper's in it`);
}

async function examineStore(directory: string, names: readonly string[], onProgress: OnProgress | undefined): Promise<Examination> {
  const inspection = await inspectStore(directory, onProgress);
  const { image, damage, spared, openEnd } = inspection;
  const finding = (verdict: Finding['verdict'], damaged: Damage): Finding => ({ verdict, ...damaged, file: join(directory, damaged.file) });
  const findings = spared.map((each) => finding('SPARED', each));
  if (damage !== undefined) findings.push(finding('DAMAGED', damage));
  else if (openEnd !== undefined && (await isTorn(join(directory, openEnd.file), openEnd.offset)))
    findings.push(finding('CUT_TAIL', { ...openEnd, reason: TORN }));
  const { snapshot, acceptedEpoch, currentEpoch, mark } = image;
  const content = contentOf(inspection);
  if (content instanceof Error)
    findings.push({
      verdict: 'DAMAGED',
      file: directory,
      offset: 0,
      reason: `all bytes are as they were written, and they make no sense: ${content.message}`,
    });
  return {
    kind: 'quorate',
    ...found(findings),
    files: await sizesOf(directory, names),
    state:
      content instanceof Error
        ? undefined
        : { acceptedEpoch, currentEpoch, snapshotZxid: snapshot?.zxid, ensembleId: mark?.ensembleId, ...numbersOf(content) },
  };
}

function contentOf({ image }: Inspection): Database | Error {
  try {
    return databaseOf(image);
  } catch (error) {
    if (isProtocolError(error) || error instanceof InvariantError) return error;
    throw error;
  }
}

async function examineApache(options: ApacheDirectoryOptions): Promise<Examination> {
  const { directory, logDirectory } = options;
  const files = await apacheFiles([directory, ...(logDirectory === undefined ? [] : [logDirectory])]);
  try {
    const { database, acceptedEpoch, currentEpoch, snapshotZxid, spared, logs } = await readApacheDirectory(options);
    const findings: Finding[] = spared.map(({ file, offset, reason }) => ({ verdict: 'SPARED', file, offset, reason }));
    for (const { file, offset, torn } of logs) if (torn) findings.push({ verdict: 'CUT_TAIL', file, offset, reason: TORN });
    const state = { acceptedEpoch, currentEpoch, snapshotZxid, ensembleId: undefined, ...numbersOf(database) };
    return { kind: 'apache', ...found(findings), files, state };
  } catch (error) {
    if (!(error instanceof ApacheFileError) || error.code === 'UNSUPPORTED') throw error;
    const { file, offset, reason } = error;
    return { kind: 'apache', ...found([{ verdict: 'DAMAGED', file, offset, reason }]), files, state: undefined };
  }
}

function found(findings: readonly Finding[]): Pick<Examination, 'verdict' | 'findings'> {
  const worst = Math.max(0, ...findings.map(({ verdict }) => verdicts.indexOf(verdict)));
  return { verdict: verdicts[worst] as Verdict, findings };
}

function numbersOf({ lastZxid, tree, sessions }: Database): Pick<ExaminedState, 'lastZxid' | 'znodes' | 'sessions' | 'digest'> {
  return { lastZxid, znodes: tree.nodeCount, sessions: sessions.size, digest: formatDigest(tree.digest as TxnDigest) };
}

/** Whether something else than zeros stands behind a place. */
async function isTorn(file: string, offset: number): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const buffer = new Uint8Array(READ_BYTES);
    for (let at = offset; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return false;
      if (buffer.subarray(0, bytesRead).some((byte) => byte !== 0)) return true;
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

async function apacheFiles(folders: readonly string[]): Promise<Examination['files']> {
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder);
      const inner = names.includes('version-2') ? join(folder, 'version-2') : folder;
      return await sizesOf(inner, inner === folder ? names : await readdir(inner));
    }),
  );
  return lists.flat();
}

async function sizesOf(folder: string, names: readonly string[]): Promise<Examination['files']> {
  const files = await Promise.all(names.map(async (name) => ({ name, bytes: (await stat(join(folder, name))).size })));
  return files.sort((one, other) => (one.name < other.name ? -1 : 1));
}
