/** A store on a disk, in segments of 512 bytes, that has been recovered. */
import { LogStorage, type Notice } from '@quorate/log';
import type { MemoryDisk, VirtualClock } from '@quorate/ports';
import type { StoredImage } from '@quorate/zab';

const SEGMENT_BYTES = 512;

export function open(
  disk: MemoryDisk,
  clock: VirtualClock,
  onNotice?: (notice: Notice) => void,
): { storage: LogStorage; image: StoredImage } {
  const storage = new LogStorage({ disk, clock, segmentBytes: SEGMENT_BYTES, ...(onNotice !== undefined && { onNotice }) });
  let found: StoredImage | Error | undefined;
  storage.recover((result) => {
    found = result;
  });
  clock.advance(1);
  if (found === undefined || found instanceof Error) throw found ?? new Error('no answer');
  return { storage, image: found };
}
