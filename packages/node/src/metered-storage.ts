import type { Clock } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import type { Storage, StoredImage } from '@quorate/server';

export interface StorageMeter {
  /** What was there has been read. */
  onRecovered(image: StoredImage, tookMs: number): void;
  /** A snapshot of this server's own is safe. */
  onSaved(zxid: Zxid, tookMs: number): void;
  /** One of a leader's is. */
  onInstalled(zxid: Zxid): void;
}

/** The same storage; the meter is told of what takes long there. */
export function meteredStorage(storage: Storage, clock: Pick<Clock, 'now'>, { onRecovered, onSaved, onInstalled }: StorageMeter): Storage {
  let installs = 0;
  return {
    recover: (done) => {
      const atMs = clock.now();
      storage.recover((result) => {
        if (!(result instanceof Error)) onRecovered(result, clock.now() - atMs);
        done(result);
      });
    },
    append: (run, done) => storage.append(run, done),
    truncate: (zxid, done) => storage.truncate(zxid, done),
    saveAcceptedEpoch: (epoch, done) => storage.saveAcceptedEpoch(epoch, done),
    saveCurrentEpoch: (epoch, done) => storage.saveCurrentEpoch(epoch, done),
    installSnapshot: (snapshot, runs, done) => {
      installs++;
      storage.installSnapshot(snapshot, runs, (error) => {
        if (error === undefined) onInstalled(snapshot.zxid);
        done(error);
      });
    },
    mend: (runs, done) => storage.mend(runs, done),
    saveMark: (mark, done) => storage.saveMark(mark, done),
    saveSnapshot: (zxid, pieces, done) => {
      const [atMs, installsBefore] = [clock.now(), installs];
      storage.saveSnapshot(zxid, pieces, (error) => {
        // One that a leader's has superseded is not kept.
        if (error === undefined && installs === installsBefore) onSaved(zxid, clock.now() - atMs);
        done(error);
      });
    },
    readLog: (after, bytesMax, done) => storage.readLog(after, bytesMax, done),
    close: () => storage.close(),
  };
}
