/** What a store is made of, at most. */

/** The room for the records of a segment, in bytes, unless the options say otherwise. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;

/** Appends that are written and flushed together, in bytes of payload; one append alone may be larger. */
export const BATCH_BYTES_MAX = 1024 * 1024;

/** The payloads of one record, in bytes; one txn alone may be larger. What is read for a learner is read record by record. */
export const RECORD_BYTES_MAX = 64 * 1024;

/** How much of a file is read at a time, in bytes. */
export const READ_BYTES = 256 * 1024;

/** Between two places of the log that are remembered, in bytes: so much is read in vain at most to find a txn. */
export const INDEX_BYTES = 64 * 1024;

/** What a snapshot writes between two flushes, in bytes: a flush of more would hold up those of the log. */
export const SNAPSHOT_FLUSH_BYTES = 4 * 1024 * 1024;

/** Snapshots that are kept. The log reaches back to the oldest of them, so that it can take the place of a newer one that has become unreadable. */
export const SNAPSHOTS_KEPT = 2;

/** The length of a manifest, in bytes. Its segments are what makes it long: some 30 bytes each. */
export const MANIFEST_BYTES_MAX = 1024 * 1024;

/** The room of a manifest is reserved in pieces of this, in bytes, and ahead of its need: a store starts on a full disk too. */
export const MANIFEST_ROOM_BYTES = 4096;

/** By how much a manifest may grow without taking room, in bytes. To start closes a segment, which takes 16. */
export const MANIFEST_SPARE_BYTES = 256;
