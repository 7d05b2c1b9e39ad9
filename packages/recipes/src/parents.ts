/** The znodes above those that a recipe makes. */
import type { CallOptions, Client } from '@quorate/client';
import { type Acl, CreateMode, isZooKeeperError, parentOf } from '@quorate/protocol';
import { persevere } from './persevere.js';

/** How the znodes of a recipe are made. */
export interface ZnodeOptions {
  /** The ACL of the znodes that the recipe makes; `OPEN_ACL_UNSAFE` when absent. */
  readonly acl?: readonly Acl[] | undefined;
}

/**
 * Makes a call that creates a znode, and where its parent is missing that first. Parents are containers: the ensemble removes them some time after their last child
 * has gone, so that a recipe leaves nothing behind and finds nothing for sure.
 */
export async function withParents<T>(
  client: Client,
  parent: string,
  create: () => Promise<T>,
  options?: CallOptions & ZnodeOptions,
): Promise<T> {
  for (;;) {
    try {
      return await create();
    } catch (error) {
      if (parent === '/' || !isZooKeeperError(error, 'NO_NODE')) throw error;
    }
    await makeZnode(client, parent, CreateMode.CONTAINER, options);
  }
}

/** Makes a znode without data, and what is missing above it, unless it is there already. */
export async function makeZnode(client: Client, path: string, mode: CreateMode, options?: CallOptions & ZnodeOptions): Promise<void> {
  const create = (): Promise<unknown> => persevere(client, () => client.create(path, undefined, { mode, ...options }), options);
  try {
    await withParents(client, parentOf(path), create, options);
  } catch (error) {
    if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
  }
}
