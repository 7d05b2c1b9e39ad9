/**
 * The setWatches requests by which a client leaves its watches again after a reconnection (ZooKeeper: `SendThread.primeConnection`).
 *
 * Many watches make several requests: one that is longer than a frame may be would end the connection, and every next one
 * after it (ZOOKEEPER-706).
 */
import { OpCode, type SetWatchesRequest, type Zxid } from '@quorate/protocol';
import type { WatchRegistry } from './watch-registry.js';

/** The greatest body of one setWatches request, in bytes, as in ZooKeeper. One path that is longer still travels alone. */
export const SET_WATCHES_BYTES_MAX = 128 * 1024;

/** Header, zxid and three counts. */
const FIXED_BYTES = 28;

/**
 * Requests that together name every registered watch; none where there are no watches.
 *
 * @param relativeZxid the server fires at once what has changed since then.
 */
export function rearm(registry: WatchRegistry, relativeZxid: Zxid): SetWatchesRequest[] {
  const requests: SetWatchesRequest[] = [];
  let batch: Batch | undefined;
  let bytes = 0;
  const take = (paths: Iterable<string>, kind: keyof Batch): void => {
    for (const path of paths) {
      const pathBytes = 4 + utf8LengthMax(path);
      if (batch === undefined || bytes + pathBytes > SET_WATCHES_BYTES_MAX) {
        batch = { dataWatches: [], existWatches: [], childWatches: [] };
        bytes = FIXED_BYTES;
        requests.push({ type: OpCode.setWatches, relativeZxid, ...batch });
      }
      batch[kind].push(path);
      bytes += pathBytes;
    }
  };
  take(registry.dataPaths, 'dataWatches');
  take(registry.existPaths, 'existWatches');
  take(registry.childPaths, 'childWatches');
  return requests;
}

interface Batch {
  readonly dataWatches: string[];
  readonly existWatches: string[];
  readonly childWatches: string[];
}

/** Exact for ASCII, else at most twice too much. */
function utf8LengthMax(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x80) bytes += 2;
  return bytes;
}
