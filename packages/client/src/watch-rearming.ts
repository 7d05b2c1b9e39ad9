/**
 * The requests by which a client leaves its watches again after a reconnection (ZooKeeper: `SendThread.primeConnection`): setWatches2 where there
 * are watches that stay, else setWatches, which servers before 3.6 know too.
 *
 * Many watches make several requests: one that is longer than a frame may be would end the connection, and every next one
 * after it (ZOOKEEPER-706). Those that stay come last, so that what one-shot watches have missed is told before they are armed.
 */
import { OpCode, type SetWatches2Request, type SetWatchesRequest, type Zxid } from '@quorate/protocol';
import type { WatchRegistry } from './watch-registry.js';

/** The greatest body of one such request, in bytes, as in ZooKeeper. One path that is longer still travels alone. */
export const SET_WATCHES_BYTES_MAX = 128 * 1024;

/** Header, zxid and five counts. */
const FIXED_BYTES = 36;

/**
 * Requests that together name every registered watch; none where there are no watches.
 *
 * @param relativeZxid the server fires at once what has changed since then.
 * @param pathPrefixBytes what is put in front of each path on its way, in bytes.
 */
export function rearm(registry: WatchRegistry, relativeZxid: Zxid, pathPrefixBytes: number): (SetWatchesRequest | SetWatches2Request)[] {
  const batches: Batch[] = [];
  let batch: Batch | undefined;
  let bytes = 0;
  const take = (paths: Iterable<string>, kind: keyof Batch): void => {
    for (const path of paths) {
      const pathBytes = 4 + pathPrefixBytes + utf8LengthMax(path);
      if (batch === undefined || bytes + pathBytes > SET_WATCHES_BYTES_MAX) {
        batch = { dataWatches: [], existWatches: [], childWatches: [], persistentWatches: [], persistentRecursiveWatches: [] };
        bytes = FIXED_BYTES;
        batches.push(batch);
      }
      batch[kind].push(path);
      bytes += pathBytes;
    }
  };
  take(registry.dataPaths, 'dataWatches');
  take(registry.existPaths, 'existWatches');
  take(registry.childPaths, 'childWatches');
  take(registry.persistentPaths, 'persistentWatches');
  take(registry.recursivePaths, 'persistentRecursiveWatches');
  return batches.map((one) => requestOf(one, relativeZxid));
}

interface Batch {
  readonly dataWatches: string[];
  readonly existWatches: string[];
  readonly childWatches: string[];
  readonly persistentWatches: string[];
  readonly persistentRecursiveWatches: string[];
}

function requestOf(batch: Batch, relativeZxid: Zxid): SetWatchesRequest | SetWatches2Request {
  const { dataWatches, existWatches, childWatches, persistentWatches, persistentRecursiveWatches } = batch;
  if (persistentWatches.length + persistentRecursiveWatches.length > 0) return { type: OpCode.setWatches2, relativeZxid, ...batch };
  return { type: OpCode.setWatches, relativeZxid, dataWatches, existWatches, childWatches };
}

/** Exact for ASCII, else at most twice too much. */
function utf8LengthMax(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x80) bytes += 2;
  return bytes;
}
