/** A manifest whose checksum fits and that makes no sense is none: the other copy tells, and where there is none the store is damaged, not unreadable. */
import { crc32 } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { decodeManifest, EMPTY_MANIFEST, encodeManifest } from '../src/manifest.js';

/** Where the counts stand in a manifest without a name. */
const SNAPSHOTS_AT = 16 + 8 + 4 + 4 + 4 + 1;
const SEGMENTS_AT = SNAPSHOTS_AT + 4;

function sealed(change: (view: DataView) => void): Uint8Array {
  const bytes = encodeManifest(EMPTY_MANIFEST, 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  change(view);
  view.setUint32(bytes.length - 4, crc32(bytes, 0, bytes.length - 4));
  return bytes;
}

test.each<[string, (view: DataView) => void]>([
  ['a generation beyond 2^53', (view) => view.setInt32(16, 0x7fff_ffff)],
  ['2^31 snapshots', (view) => view.setInt32(SNAPSHOTS_AT, 0x7fff_ffff)],
  ['2^31 segments', (view) => view.setInt32(SEGMENTS_AT, 0x7fff_ffff)],
  ['fewer than no segments', (view) => view.setInt32(SEGMENTS_AT, -2)],
])('%s', (_what, change) => {
  expect(
    decodeManifest(
      sealed(() => {}),
      0,
    ),
  ).toEqual(EMPTY_MANIFEST);
  expect(decodeManifest(sealed(change), 0)).toBeUndefined();
});
