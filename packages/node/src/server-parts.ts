/** What a server stands on: stores that are founded and read, the ensemble, and the way to its peers. */
import { LogStorage, type Notice } from '@quorate/log';
import { realClock, realRandom } from '@quorate/ports';
import { epochOf } from '@quorate/protocol';
import {
  type Completion,
  type Config,
  MemoryNetwork,
  type Sid,
  type Snapshot,
  type Storage,
  type StoredImage,
  type Transport,
  zookeeperPayloads,
} from '@quorate/server';
import { readBackup, restoredName } from './backup-file.js';
import { FileDisk } from './file-disk.js';
import { peerTransport } from './peer-transport.js';
import type { ServerConfig } from './server-config.js';
import type { Logger } from './server-log.js';

/**
 * Founds an ensemble in an empty directory: each voter's is marked so once, before its first start, with the same name. A server whose directory is not marked
 * has no vote until an ensemble has given it everything, so one that has lost its disk does not begin anew by itself.
 *
 * @param backup what the ensemble begins with, as the command `snapshot` of an admin port gave it; nothing when absent. It must be the same for all voters: the
 * name of the ensemble then tells of it.
 * @returns the name of the ensemble.
 * @throws RangeError where the store is not empty. TypeError for a backup that is none, or is damaged. What the disk says.
 */
export async function formatStore(dataDir: string, ensembleId: string, backup?: Uint8Array): Promise<string> {
  const begin = backup === undefined ? undefined : readBackup(backup);
  const name = begin === undefined ? ensembleId : restoredName(ensembleId, begin);
  await withStore(dataDir, async (storage) => {
    if (begin !== undefined) await fill(storage, begin);
    // Last, so that a store which was not filled to its end counts for nothing.
    await completed((done) =>
      begin === undefined ? storage.format({ ensembleId: name }, done) : storage.saveMark({ ensembleId: name }, done),
    );
  });
  return name;
}

/** Does something with the store of a directory. Whoever comes next finds the directory free. */
export async function withStore(
  dataDir: string,
  work: (storage: LogStorage) => Promise<void>,
  onNotice: (notice: Notice) => void = () => {},
): Promise<void> {
  const disk = FileDisk.open(dataDir);
  const storage = new LogStorage({ disk, clock: realClock, onNotice });
  try {
    await work(storage);
  } finally {
    storage.close();
    await disk.released;
  }
}

/** Puts into an empty store what a server with this history would have there. */
async function fill(storage: LogStorage, snapshot: Snapshot): Promise<void> {
  const { acceptedEpoch, mark, snapshot: own, runs, damage } = await recovered(storage);
  if (acceptedEpoch !== 0 || mark !== undefined || own !== undefined || runs.length > 0 || damage !== undefined)
    throw new RangeError('only an empty store can be filled from a backup: this one has been in use');
  const epoch = epochOf(snapshot.zxid);
  await completed((done) => storage.saveAcceptedEpoch(epoch, done));
  await completed((done) => storage.installSnapshot(snapshot, [], done));
  await completed((done) => storage.saveCurrentEpoch(epoch, done));
}

export function recovered(storage: Storage): Promise<StoredImage> {
  return new Promise((resolve, reject) => storage.recover((result) => (result instanceof Error ? reject(result) : resolve(result))));
}

export function completed(start: (done: Completion) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === undefined ? resolve() : reject(error))));
}

export function ensembleConfigOf({ sid = 1, servers, groups }: ServerConfig): Config {
  if (servers === undefined) return { version: 0, voters: [sid] };
  const sidsOf = (observing: boolean): Sid[] =>
    servers.filter(({ observer = false }) => observer === observing).map((server) => server.sid);
  return { version: 0, voters: sidsOf(false), observers: sidsOf(true), ...(groups !== undefined && { groups }) };
}

/** The way to the peers; for a server that stands alone it leads nowhere. */
export async function transportOf(config: ServerConfig, log: Logger): Promise<Transport> {
  const { sid = 1, servers = [], transport, peerTls, insecurePeers } = config;
  if (transport !== undefined) return transport();
  if (servers.length <= 1) return new MemoryNetwork({ clock: realClock }).transport(sid);
  return peerTransport({
    sid,
    config: ensembleConfigOf(config),
    servers: new Map(servers.map((server) => [server.sid, server])),
    tls: peerTls,
    insecurePeers,
    clock: realClock,
    random: realRandom,
    payloads: zookeeperPayloads,
    onViolation: (violation) => log.warn({ sid, violation }, 'a peer was cut off'),
  });
}
