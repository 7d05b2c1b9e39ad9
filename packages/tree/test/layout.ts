import type { StoreLayout } from '../src/znode-store.js';

/** A layout in which everything happens with a handful of znodes: hashes fall together, chunks hold few blobs, and a blob is soon one of the large. */
export const TIGHT: StoreLayout = {
  hash: (parent, text, start, end) => (parent + end - start + text.charCodeAt(start)) & 3,
  chunkBytes: 128,
};
