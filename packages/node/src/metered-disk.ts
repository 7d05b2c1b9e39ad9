import type { Disk, DiskFile } from '@quorate/ports';

export interface DiskMeter {
  /** Told of how much is read, in bytes. */
  readonly onBytes?: (count: number) => void;
  /** Told that a file begins to be flushed; gives what shall be called when that has ended. */
  readonly onFlush?: () => () => void;
}

/** The same disk; the meter is told of what is done with its files. */
export function meteredDisk(disk: Disk, { onBytes, onFlush }: DiskMeter): Disk {
  const metered = (file: DiskFile): DiskFile => ({
    size: (done) => file.size(done),
    read: (offset, length, done) =>
      file.read(offset, length, (result) => {
        if (!(result instanceof Error)) onBytes?.(result.length);
        done(result);
      }),
    write: (offset, bytes, done) => file.write(offset, bytes, done),
    reserve: (length, done) => file.reserve(length, done),
    flush: (done) => {
      const ended = onFlush?.();
      file.flush((error) => {
        ended?.();
        done(error);
      });
    },
    close: () => file.close(),
  });
  return {
    lock: (done) => disk.lock(done),
    list: (done) => disk.list(done),
    create: (name, done) => disk.create(name, (result) => done(result instanceof Error ? result : metered(result))),
    open: (name, done) => disk.open(name, (result) => done(result instanceof Error ? result : metered(result))),
    remove: (name, done) => disk.remove(name, done),
    flushDirectory: (done) => disk.flushDirectory(done),
    freeBytes: (done) => disk.freeBytes(done),
    close: () => disk.close(),
  };
}
