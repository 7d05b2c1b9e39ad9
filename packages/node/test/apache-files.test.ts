/** Data directories that Apache ZooKeeper 3.8.0 has written (test/clients/apache-content.ts says what), in order and damaged; and stores of ours made from them. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { LogStorage } from '@quorate/log';
import {
  ApacheFileError,
  connect,
  examineDataDirectory,
  exportApache,
  FileDisk,
  importApache,
  type RunningServer,
  startServer,
  type Verdict,
} from '@quorate/node';
import { type DiskError, realClock } from '@quorate/ports';
import { CONTAINER_OWNER, formatZxid, ttlOf } from '@quorate/protocol';
import { type DataTree, formatDigest, type NodeHandle } from '@quorate/tree';
import { afterAll, describe, expect, test } from 'vitest';
import { adler32 } from '../src/adler32.js';
import { type ApacheDirectoryOptions, readApacheDirectory } from '../src/apache-directory.js';
import { databaseOf, inspectStore } from '../src/apache-export.js';

const root = mkdtempSync(join(tmpdir(), 'quorate-apache-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const FIXTURE = join(import.meta.dirname, 'apache-3.8.0');
/** The last txn of the fixture, and its digest. */
const [LAST, DIGEST] = [0x2d, '854e02bde'];

let folders = 0;
function empty(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
}

/** The fixture, to be damaged. */
function copy(): { readonly directory: string; file(name: string): string } {
  const directory = empty();
  cpSync(join(FIXTURE, 'version-2'), join(directory, 'version-2'), { recursive: true });
  return { directory, file: (name) => join(directory, 'version-2', name) };
}

/** Where the first record of a segment stands. */
const RECORDS_AT = 12_288;

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] as number) ^ 0x10;
  writeFileSync(file, bytes);
}

/** What a directory comes to, or what is said of it. */
async function outcome(
  options: ApacheDirectoryOptions,
): Promise<{ lastZxid?: number; digest?: string; spared?: number; torn?: number; error?: ApacheFileError }> {
  try {
    const { database, spared, logs } = await readApacheDirectory(options);
    const digest = formatDigest(database.tree.digest as NonNullable<DataTree['digest']>);
    return { lastZxid: database.lastZxid, digest, spared: spared.length, torn: logs.filter(({ torn }) => torn).length };
  } catch (error) {
    if (error instanceof ApacheFileError) return { error };
    throw error;
  }
}

const ALL = { lastZxid: LAST, digest: DIGEST, torn: 0 };

test('Adler-32 is that of RFC 1950', () => {
  expect(adler32(new TextEncoder().encode('Wikipedia'))).toBe(0x11e6_0398);
  expect(adler32(new Uint8Array(100_000).fill(255))).toBe(0x149a_302c);
});

describe("a data directory of Apache's", () => {
  test('comes to the tree whose digests it has', async () => {
    const { database, digests, snapshotZxid, acceptedEpoch, currentEpoch } = await readApacheDirectory({ directory: FIXTURE });
    const { tree, sessions } = database;
    expect([database.lastZxid, snapshotZxid, acceptedEpoch, currentEpoch]).toEqual([LAST, 0x20, 0, 0]);
    expect(digests).toEqual({ compared: 14, agreed: 14 });
    expect(tree.nodeCount).toBe(28);
    const at = (path: string): NodeHandle => tree.find(path) as NodeHandle;
    const text = (path: string): string => new TextDecoder().decode(tree.data(at(path)) as Uint8Array);
    expect([text('/a'), text('/m'), text('/a/s-0000000013')]).toEqual(['in a multi', 'multi', 'last']);
    expect([...(tree.data(at('/ünicode-☃')) as Uint8Array)]).toEqual([0, 255, 128]);
    expect([tree.find('/gone'), tree.find('/never'), tree.find('/a/s-0000000003')]).toEqual([undefined, undefined, undefined]);
    expect(tree.acl(at('/a/nothing')).map(({ perms, id }) => [perms, id.id])).toEqual([
      [31, 'bob:hash'],
      [1, 'anyone'],
    ]);
    expect([tree.persistedOwner(at('/container')), ttlOf(tree.persistedOwner(at('/ttl')))]).toEqual([CONTAINER_OWNER, 86_400_000]);
    expect(text('/zookeeper/quota/a/zookeeper_stats')).toMatch(/^count=13,bytes=\d+/);
    const [session] = [...sessions.entries()];
    expect(session).toEqual([tree.ephemeralOwner(at('/session')), 30_000]);
  });

  test('is read from any snapshot that the logs reach back to, and from version-2 itself', async () => {
    const { directory, file } = copy();
    for (const name of ['snapshot.20', 'snapshot.e']) {
      rmSync(file(name));
      expect(await outcome({ directory }), name).toMatchObject({ ...ALL, spared: 0 });
    }
    expect(await outcome({ directory: join(directory, 'version-2') })).toMatchObject(ALL);
    const logDirectory = empty();
    for (const name of ['log.1', 'log.f', 'log.22']) cpSync(file(name), join(logDirectory, name));
    for (const name of ['log.1', 'log.f', 'log.22']) rmSync(file(name));
    expect(await outcome({ directory, logDirectory })).toMatchObject(ALL);
    rmSync(file('snapshot.0'));
    expect((await outcome({ directory })).error).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('may have snapshots that are compressed by gzip', async () => {
    const { directory, file } = copy();
    const packed = gzipSync(readFileSync(file('snapshot.20')));
    rmSync(file('snapshot.20'));
    writeFileSync(file('snapshot.20.gz'), packed);
    expect(await outcome({ directory })).toMatchObject({ ...ALL, spared: 0 });
    writeFileSync(file('snapshot.20.gz'), packed.subarray(0, packed.length >> 1));
    expect(await outcome({ directory })).toMatchObject({ ...ALL, spared: 1 });
    writeFileSync(file('snapshot.20.snappy'), packed);
    expect(await outcome({ directory })).toMatchObject({ ...ALL, spared: 2 });
    for (const name of ['snapshot.20.gz', 'snapshot.e', 'snapshot.0']) rmSync(file(name));
    expect((await outcome({ directory })).error).toMatchObject({ code: 'UNSUPPORTED', file: file('snapshot.20.snappy') });
  });

  test('goes back to an older snapshot where any bit of the newest is another', async () => {
    const { directory, file } = copy();
    const { length } = readFileSync(file('snapshot.20'));
    for (let at = 0; at < length; at += 31) {
      flip(file('snapshot.20'), at);
      expect(await outcome({ directory }), `byte ${at}`).toMatchObject({ ...ALL, spared: 1 });
      flip(file('snapshot.20'), at);
    }
  });

  test('ends where its last log was cut', async () => {
    const { directory, file } = copy();
    const { length } = readFileSync(file('log.22'));
    let last = LAST;
    for (let at = length - 1; at >= 0; at -= 5) {
      truncateSync(file('log.22'), at);
      const { lastZxid = 0, error } = await outcome({ directory });
      expect(error, `byte ${at}`).toBeUndefined();
      expect(lastZxid).toBeLessThanOrEqual(last);
      last = lastZxid;
    }
    expect(last).toBe(0x21);
  });

  test('is never taken for whole where any bit of a log is another', async () => {
    const { directory, file } = copy();
    const { last, end } = recordsOf(readFileSync(file('log.22')));
    for (let at = 0; at < end; at += 3) {
      // The number of the database, which nobody looks at.
      if (at >= 8 && at < 16) continue;
      flip(file('log.22'), at);
      const { error, lastZxid, torn } = await outcome({ directory });
      flip(file('log.22'), at);
      if (error !== undefined) expect(error, `byte ${at}`).toMatchObject({ file: file('log.22') });
      // The last record alone may be taken for one that was not written to its end.
      else expect([lastZxid, torn, at >= last], `byte ${at}`).toEqual([LAST - 1, 1, true]);
    }
  });

  test('has a hole where a log is missing', async () => {
    const { directory, file } = copy();
    rmSync(file('log.f'));
    expect((await outcome({ directory })).error).toMatchObject({
      code: 'DAMAGED',
      file: file('log.22'),
      reason: '0x22 does not follow 0x20: txns are missing between them',
    });
    rmSync(file('log.22'));
    expect((await outcome({ directory })).error).toMatchObject({ code: 'DAMAGED', reason: expect.stringMatching(/^there was a txn 0x/) });
  });

  test('is refused where its tree has another digest, unless that is said to be right', async () => {
    const { directory, file } = copy();
    const log = readFileSync(file('log.22'));
    const at = log.lastIndexOf('last');
    log.write('lost', at);
    reseal(log);
    writeFileSync(file('log.22'), log);
    expect((await outcome({ directory })).error).toMatchObject({
      code: 'DIGEST',
      file: file('log.22'),
      reason: expect.stringMatching(
        new RegExp(`^after ${formatZxid(LAST as never)} the tree has the digest .*, and Apache said ${DIGEST}$`),
      ),
    });
    expect(await outcome({ directory, ignoreDigest: true })).toMatchObject({ lastZxid: LAST });
  });

  test('has the epochs of its files, or that of its last txn', async () => {
    const { directory, file } = copy();
    writeFileSync(file('acceptedEpoch'), '5');
    writeFileSync(file('currentEpoch'), '4\n');
    expect(await readApacheDirectory({ directory })).toMatchObject({ acceptedEpoch: 5, currentEpoch: 4 });
    for (const text of ['', '-1', '0x5', '2097152']) {
      writeFileSync(file('currentEpoch'), text);
      expect((await outcome({ directory })).error, text).toMatchObject({ code: 'DAMAGED', file: file('currentEpoch') });
    }
  });
});

/** Where the last record of a log begins, and where it ends. */
function recordsOf(log: Buffer): { readonly last: number; readonly end: number } {
  let [last, end] = [0, 16];
  while (log.readInt32BE(end + 8) > 0) {
    last = end;
    end += 13 + log.readInt32BE(end + 8);
  }
  return { last, end };
}

/** Gives the last record of a log the checksum of its bytes. */
function reseal(log: Buffer): void {
  const { last, end } = recordsOf(log);
  log.writeUInt32BE(adler32(log.subarray(last + 12, end - 1)), last + 4);
}

async function imported(): Promise<string> {
  const dataDir = empty();
  await importApache({ directory: FIXTURE, dataDir, ensembleId: 'test' });
  return dataDir;
}

function storeOn(disk: FileDisk): LogStorage {
  return new LogStorage({ disk, clock: realClock, segmentBytes: 64 * 1024 });
}

/** Once it is closed, nobody writes to the directory any more. */
async function serve(dataDir: string): Promise<Pick<RunningServer, 'clientAddress' | 'close'>> {
  const disk = FileDisk.open(dataDir);
  const server = await startServer({ storage: () => storeOn(disk), tickTimeMs: 50, client: { port: 0 } });
  await server.ready();
  const close = async (): Promise<void> => {
    await server.close();
    await disk.released;
  };
  return { clientAddress: server.clientAddress, close };
}

describe('an import', () => {
  test('is the store of a voter, with all that the directory comes to', async () => {
    const { database } = await readApacheDirectory({ directory: FIXTURE });
    const { image, damage, spared } = await inspectStore(await imported());
    expect([damage, spared]).toEqual([undefined, []]);
    expect(image).toMatchObject({ mark: { ensembleId: 'test' }, acceptedEpoch: 0, currentEpoch: 0, runs: [], snapshot: { zxid: LAST } });
    const kept = databaseOf(image);
    expect(kept.tree.serialize()).toEqual(database.tree.serialize());
    expect([...kept.sessions.entries()]).toEqual([...database.sessions.entries()]);
  });

  test('is served, and goes on', async () => {
    const dataDir = await imported();
    const server = await serve(dataDir);
    const client = await connect(server.clientAddress as string);
    expect(new TextDecoder().decode((await client.getData('/a')).data)).toBe('in a multi');
    expect((await client.exists('/session'))?.ephemeralOwner).not.toBe(0n);
    await client.create('/new', 'ours');
    await client.close();
    await server.close();
    expect(await examineDataDirectory({ directory: dataDir })).toMatchObject({
      kind: 'quorate',
      verdict: 'OK',
      state: { ensembleId: 'test', snapshotZxid: LAST, znodes: 29, currentEpoch: 1 },
    });
  });

  test('tells how far it is', async () => {
    const seen: string[] = [];
    const onProgress = ({ step, done, total }: { step: string; done: number; total: number | undefined }): void => {
      seen.push(`${step} ${done} of ${total}`);
    };
    await importApache({ directory: FIXTURE, dataDir: empty(), ensembleId: 'test', onProgress });
    expect(seen[0]).toBe('read 2518 of 5947');
    expect(seen).toContain('read 5947 of 5947');
    expect(seen.at(-1)).toMatch(/^write \d{4} of undefined$/);
  });

  test('goes into an empty folder alone, and under a name', async () => {
    const dataDir = await imported();
    const again = { directory: FIXTURE, dataDir, ensembleId: 'test' };
    await expect(importApache(again)).rejects.toThrow(RangeError);
    await expect(importApache({ ...again, dataDir: join(root, 'nowhere') })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(importApache({ ...again, dataDir: empty(), ensembleId: '' })).rejects.toThrow('an ensemble has a name');
  });

  test('of what is damaged leaves the folder as it is', async () => {
    const { directory, file } = copy();
    flip(file('log.22'), 40);
    const dataDir = empty();
    await expect(importApache({ directory, dataDir, ensembleId: 'test' })).rejects.toMatchObject({ code: 'DAMAGED', offset: 16 });
    expect(readdirSync(dataDir)).toEqual([]);
  });
});

describe('an export', () => {
  test('comes back as it was', async () => {
    const dataDir = await imported();
    const [before, directory] = [contentOf(dataDir), join(empty(), 'new')];
    expect(await exportApache({ dataDir, directory })).toMatchObject({ lastZxid: LAST, znodes: 28, sessions: 1 });
    expect(contentOf(dataDir)).toEqual(before);
    const { database, digests } = await readApacheDirectory({ directory });
    const { database: original } = await readApacheDirectory({ directory: FIXTURE });
    expect(digests).toEqual({ compared: 1, agreed: 1 });
    expect(database.tree.serialize()).toEqual(original.tree.serialize());
    expect([...database.sessions.entries()]).toEqual([...original.sessions.entries()]);
  });

  test('has the txns of the log and the epochs', async () => {
    const [dataDir, directory] = [empty(), empty()];
    await new Promise<void>((resolve, reject) => {
      const store = storeOn(FileDisk.open(dataDir));
      store.format({ ensembleId: 'test' }, (error) => {
        store.close();
        if (error === undefined) resolve();
        else reject(error);
      });
    });
    const server = await serve(dataDir);
    const client = await connect(server.clientAddress as string);
    for (let i = 0; i < 20; i++) await client.create(`/z${i}`, `${i}`, { acl: [{ perms: i, id: { scheme: 'world', id: 'anyone' } }] });
    const { czxid } = (await client.exists('/z19')) as { czxid: number };
    await expect(exportApache({ dataDir, directory })).rejects.toMatchObject({ code: 'LOCKED' });
    await client.close();
    await server.close();
    expect(await exportApache({ dataDir, directory })).toMatchObject({ znodes: 24, acceptedEpoch: 1, currentEpoch: 1 });
    const { database, acceptedEpoch, currentEpoch } = await readApacheDirectory({ directory });
    expect([acceptedEpoch, currentEpoch]).toEqual([1, 1]);
    const { tree } = database;
    const node = tree.find('/z19') as NodeHandle;
    expect([tree.stat(node).czxid, tree.acl(node)]).toEqual([czxid, [{ perms: 19, id: { scheme: 'world', id: 'anyone' } }]]);
    await expect(exportApache({ dataDir, directory })).rejects.toThrow('is not empty, it has version-2');
  });

  test('is not made of nothing, nor of what is damaged', async () => {
    const [dataDir, directory] = [empty(), empty()];
    await expect(exportApache({ dataDir, directory })).rejects.toThrow('has nothing to export');
    await expect(exportApache({ dataDir: join(root, 'nowhere'), directory })).rejects.toMatchObject({ code: 'ENOENT' });
    const damaged = await imported();
    const snapshot = readdirSync(damaged).find((name) => name.startsWith('snapshot')) as string;
    flip(join(damaged, snapshot), 500);
    await expect(exportApache({ dataDir: damaged, directory })).rejects.toThrow(
      new RegExp(`is damaged, ${snapshot} at byte 0: .*quorate doctor`),
    );
    expect(readdirSync(directory)).toEqual([]);
  });
});

/** The names in a folder, and what the bytes come to. */
function contentOf(folder: string): readonly (readonly [string, string])[] {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return names.map(({ name }) => [
    name,
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex'),
  ]);
}

describe('an examination', () => {
  /** A store with one snapshot and a segment that was not closed. */
  async function served(): Promise<{ readonly directory: string; readonly segment: string }> {
    const directory = await imported();
    const server = await serve(directory);
    const client = await connect(server.clientAddress as string);
    for (let i = 0; i < 5; i++) await client.create(`/new${i}`);
    await client.close();
    await server.close();
    const segments = readdirSync(directory).filter((name) => name.startsWith('segment'));
    // Another may have been made ahead.
    const used = segments.find((name) => readFileSync(join(directory, name)).some((byte) => byte !== 0)) as string;
    return { directory, segment: join(directory, used) };
  }

  async function verdictOf(directory: string): Promise<{ verdict: Verdict; files: readonly string[] }> {
    const before = contentOf(directory);
    const { verdict, findings } = await examineDataDirectory({ directory });
    expect(contentOf(directory)).toEqual(before);
    return { verdict, files: findings.map(({ file }) => file) };
  }

  test('tells what a crash leaves from what is damaged', async () => {
    const { directory, segment } = await served();
    expect(await verdictOf(directory)).toEqual({ verdict: 'OK', files: [] });
    const whole = readFileSync(segment);
    const end = whole.findLastIndex((byte) => byte !== 0) + 1;
    const torn = Buffer.from(whole);
    torn.fill(7, end + 16, end + 40);
    writeFileSync(segment, torn);
    expect(await verdictOf(directory)).toEqual({ verdict: 'CUT_TAIL', files: [segment] });
    writeFileSync(segment, whole);
    flip(segment, RECORDS_AT + 100);
    expect(await verdictOf(directory)).toEqual({ verdict: 'DAMAGED', files: [segment] });
    rmSync(segment);
    expect(await verdictOf(directory)).toEqual({ verdict: 'DAMAGED', files: [segment] });
  });

  test('tells what is not needed', async () => {
    const { directory } = await served();
    for (const copyOfIt of ['manifest-a', 'manifest-b']) flip(join(directory, copyOfIt), 20);
    expect(await verdictOf(directory)).toEqual({ verdict: 'DAMAGED', files: [join(directory, 'manifest-a')] });
    const apache = copy();
    flip(apache.file('snapshot.20'), 500);
    truncateSync(apache.file('log.22'), 1300);
    const { kind, verdict, findings, state } = await examineDataDirectory({ directory: apache.directory });
    expect([kind, verdict, findings.map((finding) => finding.verdict)]).toEqual(['apache', 'SPARED', ['SPARED', 'CUT_TAIL']]);
    expect(state).toMatchObject({ lastZxid: LAST - 1, snapshotZxid: 0xe });
    rmSync(apache.file('log.f'));
    expect(await examineDataDirectory({ directory: apache.directory })).toMatchObject({ verdict: 'DAMAGED', state: undefined });
  });

  test('is of a data directory that nobody uses', async () => {
    await expect(examineDataDirectory({ directory: empty() })).rejects.toThrow('is no data directory');
    await expect(examineDataDirectory({ directory: join(root, 'nowhere') })).rejects.toMatchObject({ code: 'ENOENT' });
    const directory = await imported();
    const disk = FileDisk.open(directory);
    await new Promise<void>((resolve) => disk.lock((error?: DiskError) => resolve(expect(error).toBeUndefined())));
    await expect(examineDataDirectory({ directory })).rejects.toMatchObject({ code: 'LOCKED' });
    disk.close();
  });
});
