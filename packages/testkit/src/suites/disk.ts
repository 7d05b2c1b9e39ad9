import { type Disk, DiskError, type DiskFile } from '@quorate/ports';
import { same, type TestRunner } from './suite.js';

export interface DiskContract extends TestRunner {
  /** An empty place. `open` gives a disk of it, which is closed before the next; `settle` lets callbacks come, where they wait for something. */
  place(): Promise<{ open(): Disk; settle(): void }>;
}

/** What every `Disk` must do, as tests. Whether a flush survives the loss of power cannot be told from here. */
export function diskContract({ describe, test, place }: DiskContract): void {
  /** A locked disk, and its calls as promises. */
  const begin = async (): Promise<{
    disk: Disk;
    open: () => Disk;
    call: <T>(start: (done: (result: T) => void) => void) => Promise<T>;
  }> => {
    const { open, settle } = await place();
    const disk = open();
    const call = <T>(start: (done: (result: T) => void) => void): Promise<T> => {
      const answer = new Promise<T>(start);
      settle();
      return answer;
    };
    same(await call((done) => disk.lock(done)), undefined, 'a free disk can be locked');
    return { disk, open, call };
  };
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
  const code = (result: unknown): string => (result instanceof DiskError ? result.code : 'no error');

  describe('Disk', () => {
    test('has the files that were created and not removed', async () => {
      const { disk, call } = await begin();
      same(await call((done) => disk.list(done)), [], 'a new disk is empty');
      await call((done) => disk.create('a', done));
      await call((done) => disk.create('b', done));
      same(code(await call((done) => disk.create('a', done))), 'EXISTS', 'create of a file that exists');
      same(code(await call((done) => disk.open('c', done))), 'NOT_FOUND', 'open of a file that does not exist');
      same(await call((done) => disk.remove('a', done)), undefined, 'remove');
      same(code(await call((done) => disk.remove('a', done))), 'NOT_FOUND', 'remove of a file that does not exist');
      same(await call((done) => disk.flushDirectory(done)), undefined, 'flushDirectory');
      same(await call((done) => disk.list(done)), ['b'], 'list');
    });

    test('reads what was written, zeros in a gap, and nothing behind the end', async () => {
      const { disk, call } = await begin();
      const file = (await call<DiskFile | DiskError>((done) => disk.create('a', done))) as DiskFile;
      same(await call((done) => file.write(2, bytes(1, 2, 3), done)), undefined, 'write');
      same(await call((done) => file.write(3, bytes(7), done)), undefined, 'write over');
      same(await call((done) => file.size(done)), 5, 'size');
      same(await call((done) => file.read(0, 5, done)), bytes(0, 0, 1, 7, 3), 'read');
      same(await call((done) => file.read(3, 100, done)), bytes(7, 3), 'read over the end');
      same(await call((done) => file.read(9, 3, done)), bytes(), 'read behind the end');
      same(await call((done) => file.reserve(8, done)), undefined, 'reserve');
      same(await call((done) => file.reserve(6, done)), undefined, 'reserve of less than there is');
      same(await call((done) => file.read(0, 100, done)), bytes(0, 0, 1, 7, 3, 0, 0, 0), 'reserve adds zeros and changes nothing');
      same(await call((done) => file.flush(done)), undefined, 'flush');
    });

    test('does the calls of a file in their order, and answers none from within', async () => {
      const { disk, call } = await begin();
      const file = (await call<DiskFile | DiskError>((done) => disk.create('a', done))) as DiskFile;
      const told: string[] = [];
      await call<void>((done) => {
        file.write(0, bytes(1), () => told.push('first'));
        file.write(0, bytes(2), () => told.push('second'));
        file.flush(() => told.push('flush'));
        same(told, [], 'a callback comes after the method has returned');
        file.read(0, 1, (read) => {
          same(read, bytes(2), 'the later write is the one that stands');
          done();
        });
      });
      same(told, ['first', 'second', 'flush'], 'answers come in order');
    });

    test('keeps files for the next who opens it', async () => {
      const { disk, open, call } = await begin();
      const file = (await call<DiskFile | DiskError>((done) => disk.create('a', done))) as DiskFile;
      await call((done) => file.write(0, bytes(5, 6), done));
      await call((done) => file.flush(done));
      disk.close();
      const next = open();
      // Giving the lock back may take a moment.
      while (code(await call((done) => next.lock(done))) === 'LOCKED');
      const again = (await call<DiskFile | DiskError>((done) => next.open('a', done))) as DiskFile;
      same(await call((done) => again.read(0, 10, done)), bytes(5, 6), 'what was written is there');
    });

    test('has one user at a time', async () => {
      const { open, call } = await begin();
      const other = open();
      same(code(await call((done) => other.lock(done))), 'LOCKED', 'a second user is refused');
    });

    test('tells how much is free', async () => {
      const { disk, call } = await begin();
      const free = await call((done) => disk.freeBytes(done));
      same(typeof free === 'number' && free > 0, true, 'a number of bytes');
    });

    test('answers nothing after close', async () => {
      const { disk, call, open } = await begin();
      let told = 0;
      disk.list(() => told++);
      disk.close();
      await call((done) => open().lock(done));
      same(told, 0, 'no answer after close');
    });
  });
}
