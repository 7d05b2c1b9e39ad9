/** The contract suites over a real directory, and what only a real process can show. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogStorage } from '@quorate/log';
import { FileDisk } from '@quorate/node';
import { type Disk, DiskError, type DiskFile, realClock } from '@quorate/ports';
import { diskContract, storageContract } from '@quorate/testkit';
import { afterAll, describe, expect, test } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'quorate-disk-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let places = 0;
const nextPlace = (): string => join(root, 'store', String(places++));
const lock = (disk: Disk): Promise<DiskError | undefined> => new Promise((resolve) => disk.lock(resolve));

describe('FileDisk', () => {
  diskContract({
    describe,
    test,
    place: async () => {
      const directory = nextPlace();
      return { open: () => FileDisk.open(directory), settle: () => {} };
    },
  });

  test('has a lock also where the path is too long for a socket', async () => {
    const directory = join(root, 'long'.repeat(30));
    const disk = FileDisk.open(directory);
    expect(await lock(disk)).toBeUndefined();
    expect(await lock(FileDisk.open(directory))).toMatchObject({ code: 'LOCKED' });
    disk.close();
  });

  test('gives one of many who come at once the lock, or none', async () => {
    for (let round = 0; round < 20; round++) {
      const directory = nextPlace();
      const disks = Array.from({ length: 4 }, () => FileDisk.open(directory));
      const results = await Promise.all(disks.map(lock));
      expect(results.filter((error) => error === undefined).length).toBeLessThanOrEqual(1);
      for (const disk of disks) disk.close();
    }
  });

  test('lets nothing through once it is closed', async () => {
    const directory = nextPlace();
    const disk = FileDisk.open(directory);
    expect(await lock(disk)).toBeUndefined();
    const file = await new Promise<DiskFile | DiskError>((resolve) => disk.create('a', resolve));
    disk.close();
    const late = (): void => expect.unreachable('nothing is called back after close');
    if (!(file instanceof DiskError)) file.write(0, Uint8Array.of(1), late);
    disk.create('b', late);
    disk.remove('a', late);
    await disk.released;
    expect(readdirSync(directory)).toEqual(['a']);
    expect(readFileSync(join(directory, 'a'))).toHaveLength(0);
  });

  test('outlives a holder that was killed', async () => {
    const directory = nextPlace();
    const program = `
      import { FileDisk } from '@quorate/node';
      FileDisk.open(${JSON.stringify(directory)}).lock((error) => console.log(error ?? 'locked'));
      setInterval(() => {}, 1000);`;
    const flags = ['--conditions=@quorate/source', '--import', 'tsx', '--input-type=module', '--eval', program];
    const holder = spawn(process.execPath, flags, {
      cwd: join(import.meta.dirname, '../../../examples'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    expect(said.toString()).toBe('locked\n');
    const disk = FileDisk.open(directory);
    expect(await lock(disk)).toMatchObject({ code: 'LOCKED' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(readdirSync(directory)).toEqual(['lock-1']);
    const next = FileDisk.open(directory);
    expect(await lock(next)).toBeUndefined();
    next.close();
  });
});

/** Waits for the lock: the disk of the life before gives it back when its last call has ended. */
function patient(disk: FileDisk): Disk {
  const lockNow = disk.lock.bind(disk);
  disk.lock = (done) => {
    lockNow((error) => (error?.code === 'LOCKED' ? setTimeout(() => disk.lock(done), 1) : done(error)));
  };
  return disk;
}

describe('LogStorage over FileDisk', () => {
  storageContract({
    describe,
    test,
    lives: 3,
    place: async () => {
      const directory = nextPlace();
      return {
        open: () => new LogStorage({ disk: patient(FileDisk.open(directory)), clock: realClock, segmentBytes: 8192 }),
        settle: () => {},
      };
    },
  });
});
