/** The store of a server: where it keeps what must survive, who looks at that, and what its last snapshot is. */
import { describeDamage, LogStorage, type Notice } from '@quorate/log';
import { type Clock, type Disk, realClock } from '@quorate/ports';
import type { Zxid } from '@quorate/protocol';
import { MemoryStorage, type Storage, type StoredImage } from '@quorate/server';
import { FileDisk } from './file-disk.js';
import { meteredStorage } from './metered-storage.js';
import type { ServerConfig } from './server-config.js';
import type { Logger } from './server-log.js';
import { snapshotTimeOf } from './store-files.js';

/** Told of what takes long. */
export interface StoreMeter {
  /** The same disk, with whatever looks at it. */
  disk(disk: Disk): Disk;
  /** What was there has been read. */
  onRecovered(image: StoredImage, tookMs: number): void;
  /** A snapshot of this server's own is safe. */
  onSaved(tookMs: number): void;
}

export interface LastSnapshot {
  readonly zxid: Zxid;
  /** When it was written, by the wall clock. */
  readonly wallMs: number;
}

export class ServerStore {
  readonly storage: Storage;
  /** Resolves when the storage was closed and somebody else may have its files. */
  readonly released: Promise<void>;
  #lastSnapshot: LastSnapshot | undefined;
  /** The last one that was not written because the disk is nearly full. */
  #skipped: Zxid | undefined;

  /** @param meter undefined where nobody wants to know. */
  constructor(
    config: ServerConfig,
    { log, clock, meter }: { readonly log: Logger; readonly clock: Clock; readonly meter: StoreMeter | undefined },
  ) {
    const [storage, released] = this.#open(config, log, meter);
    this.released = released;
    this.storage = meteredStorage(storage, clock, {
      onRecovered: (image, tookMs) => {
        meter?.onRecovered(image, tookMs);
        if (image.snapshot !== undefined)
          this.#lastSnapshot = { zxid: image.snapshot.zxid, wallMs: snapshotTimeOf(config) ?? clock.wallNow() };
      },
      onSaved: (zxid, tookMs) => {
        if (zxid === this.#skipped) return;
        meter?.onSaved(tookMs);
        this.#lastSnapshot = { zxid, wallMs: clock.wallNow() };
      },
      onInstalled: (zxid) => {
        this.#lastSnapshot = { zxid, wallMs: clock.wallNow() };
      },
    });
  }

  /** Undefined where there is none yet. */
  get lastSnapshot(): LastSnapshot | undefined {
    return this.#lastSnapshot;
  }

  #open({ dataDir, storage, sid = 1 }: ServerConfig, log: Logger, meter: StoreMeter | undefined): readonly [Storage, Promise<void>] {
    if (storage !== undefined) return [storage(), Promise.resolve()];
    if (dataDir === undefined) return [new MemoryStorage({ clock: realClock }).format({ ensembleId: 'memory' }), Promise.resolve()];
    const disk = FileDisk.open(dataDir);
    const onNotice = (notice: Notice): void => {
      if (notice.type === 'snapshotSkipped') this.#skipped = notice.zxid;
      log.warn({ sid, dataDir, ...noticeFields(notice) }, `store: ${notice.type}`);
    };
    return [new LogStorage({ disk: meter?.disk(disk) ?? disk, clock: realClock, onNotice }), disk.released];
  }
}

function noticeFields(notice: Notice): object {
  return notice.type === 'spared'
    ? { damage: describeDamage(notice.damage) }
    : notice.type === 'snapshotSkipped'
      ? { zxid: notice.zxid }
      : {};
}
