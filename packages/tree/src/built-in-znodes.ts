/**
 * The znodes that every tree has from the beginning and for ever (`DataTree`'s constructor and `addConfigNode`).
 *
 * They do not count their parents' cversion up, so a fresh root shows cversion −1 and `/zookeeper` −2, and the first sequential child of the root
 * gets number 0. The ACL of `/zookeeper/config` was set with version −1 (ZOOKEEPER-2014), and −1 is its aversion.
 */
import { OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from '@quorate/protocol';
import { Int, ROOT } from './znode-pages.js';
import { type StoreLayout, ZnodeStore } from './znode-store.js';

/** Their paths, each after its parent's. */
export const BUILT_IN_PATHS = ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'] as const;

/** True for a path that always exists. */
export function isBuiltIn(path: string): boolean {
  return path === BUILT_IN_PATHS[0] || path === BUILT_IN_PATHS[1] || path === BUILT_IN_PATHS[2] || path === BUILT_IN_PATHS[3];
}

/** A store with these znodes alone. */
export function builtInZnodes(layout?: StoreLayout): ZnodeStore {
  const store = new ZnodeStore(OPEN_ACL_UNSAFE, layout);
  store.setData(ROOT, new Uint8Array(0));
  const [, proc, quota, config] = BUILT_IN_PATHS;
  const procNode = store.insert(ROOT, proc, new Uint8Array(0), OPEN_ACL_UNSAFE);
  store.insert(procNode, quota, new Uint8Array(0), OPEN_ACL_UNSAFE);
  const configNode = store.insert(procNode, config, new Uint8Array(0), READ_ACL_UNSAFE);
  store.rows.setInt(configNode, Int.aversion, -1);
  return store;
}
