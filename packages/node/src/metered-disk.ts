import type { Disk, DiskFile } from '@quorate/ports';

/** The same disk; `onBytes` is told of all that is read from it. */
export function meteredDisk(disk: Disk, onBytes: (count: number) => void): Disk {
  const metered = (file: DiskFile): DiskFile => ({
    size: (done) => file.size(done),
    read: (offset, length, done) =>
      file.read(offset, length, (result) => {
        if (!(result instanceof Error)) onBytes(result.length);
        done(result);
      }),
    write: (offset, bytes, done) => file.write(offset, bytes, done),
    reserve: (length, done) => file.reserve(length, done),
    flush: (done) => file.flush(done),
    close: () => file.close(),
  });
  return {
    lock: (done) => disk.lock(done),
    list: (done) => disk.list(done),
    create: (name, done) => disk.create(name, done),
    open: (name, done) => disk.open(name, (result) => done(result instanceof Error ? result : metered(result))),
    remove: (name, done) => disk.remove(name, done),
    flushDirectory: (done) => disk.flushDirectory(done),
    freeBytes: (done) => disk.freeBytes(done),
    close: () => disk.close(),
  };
}
