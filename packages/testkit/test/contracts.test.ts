/** The contract suites, run by what this house keeps in memory. */
import { LogStorage } from '@quorate/log';
import { MemoryDisk, VirtualClock } from '@quorate/ports';
import { diskContract, storageContract } from '@quorate/testkit';
import { MemoryStorage } from '@quorate/zab';
import { describe, test } from 'vitest';

describe('MemoryDisk', () => {
  diskContract({
    describe,
    test,
    place: async () => {
      const clock = new VirtualClock();
      let disk = new MemoryDisk({ clock });
      let opened = false;
      return {
        open: () => {
          if (opened) disk = disk.reopen();
          opened = true;
          return disk;
        },
        settle: () => clock.advance(1),
      };
    },
  });
});

describe('MemoryStorage', () => {
  storageContract({
    describe,
    test,
    place: async () => {
      const clock = new VirtualClock();
      const storage = new MemoryStorage({ clock });
      return { open: () => storage, settle: () => clock.advance(1) };
    },
  });
});

describe.each([256, 4096])('LogStorage with segments of %i bytes', (segmentBytes) => {
  storageContract({
    describe,
    test,
    lives: 100,
    place: async () => {
      const clock = new VirtualClock();
      let disk = new MemoryDisk({ clock });
      return {
        open: () => {
          disk = disk.reopen();
          return new LogStorage({ disk, clock, segmentBytes });
        },
        settle: () => clock.advance(1),
      };
    },
  });
});
