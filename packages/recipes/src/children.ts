/** The children of a directory that may come and go, as containers do. */
import type { Client, WatchOptions } from '@quorate/client';
import { isZooKeeperError, NO_ZXID, type Zxid } from '@quorate/protocol';

/** What is in a directory. */
export interface Children {
  /** In no particular order. */
  readonly names: readonly string[];
  /** The last txn that made or deleted one of them; 0 where there is no directory. */
  readonly pzxid: Zxid;
}

const NONE: Children = { names: [], pzxid: NO_ZXID };

/** The children of a directory, none where there is no directory. Either way the watch is left, and fires when a child comes or goes, or the directory does. */
export async function childrenOf(client: Client, directory: string, options?: WatchOptions): Promise<Children> {
  for (;;) {
    try {
      const { children, stat } = await client.getChildren(directory, options);
      return { names: children, pzxid: stat.pzxid };
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
    }
    if ((await client.exists(directory, options)) === undefined) return NONE;
  }
}
