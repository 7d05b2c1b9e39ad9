/** Many lives of one store, each ended by the loss of power: what completed is there in the next, and it can be gone on with. */
import { LogStorage, type Notice } from '@quorate/log';
import { MemoryDisk, randomBelow, SeededRandom, VirtualClock } from '@quorate/ports';
import { makeZxid } from '@quorate/protocol';
import type { Run, StoredImage } from '@quorate/zab';
import { describe, expect, test } from 'vitest';
import { open } from './open-store.js';

const runOf = (counter: number, ...payloads: number[]): Run => ({
  zxid: makeZxid(1, counter),
  payloads: payloads.map((byte) => new Uint8Array(byte).fill(byte)),
});
const payloadsOf = (image: StoredImage): number[] => image.runs.flatMap(({ payloads }) => payloads.map(({ length }) => length));

describe('a store whose power fails', () => {
  test.each([1, 2, 3, 4, 5])('keeps what had completed, life after life (seed %i)', (seed) => {
    const random = new SeededRandom(seed);
    const clock = new VirtualClock();
    let disk = new MemoryDisk({ clock, sectorBytes: 64 });
    let completed: number[] = [];
    for (let life = 0; life < 25; life++) {
      const { storage, image } = open(disk, clock);
      expect(image.damage).toBeUndefined();
      const found = payloadsOf(image);
      expect(found.slice(0, completed.length)).toEqual(completed);
      completed = found.slice();
      for (let i = 0; i < 12; i++) {
        const payload = randomBelow(random, 100);
        found.push(payload);
        storage.append(runOf(found.length, payload), () => {
          completed = [...completed, payload];
        });
        if (randomBelow(random, 3) > 0) for (let steps = randomBelow(random, 12); steps > 0; steps--) clock.step();
      }
      const next = disk.crash(random);
      storage.close();
      disk = next;
    }
  });

  test('starts from any part of what it had begun to write when it was new', () => {
    for (let calls = 0; calls < 20; calls++) {
      const clock = new VirtualClock();
      const disk = new MemoryDisk({ clock });
      new LogStorage({ disk, clock, segmentBytes: 512 }).recover(() => {});
      for (let i = 0; i < calls; i++) clock.step();
      for (let seed = 0; seed < 8; seed++) {
        expect(open(disk.crash(new SeededRandom(seed)), clock).image).toMatchObject({ acceptedEpoch: 0, runs: [] });
      }
    }
  });
});

describe('a store that is damaged', () => {
  /** A store at rest with three runs, and the place of the bit in the middle one. */
  function damaged(): { disk: MemoryDisk; clock: VirtualClock } {
    const clock = new VirtualClock();
    const disk = new MemoryDisk({ clock });
    const { storage } = open(disk, clock);
    storage.saveAcceptedEpoch(1, () => {});
    for (const [i, payload] of [10, 20, 30].entries()) {
      storage.append(runOf(i + 1, payload), () => {});
      clock.advance(1);
    }
    storage.close();
    const segment = disk.files().get('segment-0000000001') as Uint8Array;
    disk.flip('segment-0000000001', segment.indexOf(20, 100) * 8);
    return { disk: disk.reopen(), clock };
  }

  test('gives what is below the damage, says where that is, and changes nothing of the log', () => {
    const { disk, clock } = damaged();
    const before = disk.files().get('segment-0000000001');
    const { storage, image } = open(disk, clock);
    expect(payloadsOf(image)).toEqual([10]);
    expect(image.damage).toMatch(/^segment-0000000001 at byte \d+: a record that was safe cannot be read$/);
    storage.saveMark(undefined, () => {});
    clock.advance(1);
    storage.close();
    expect(disk.files().get('segment-0000000001')).toEqual(before);
    expect(open(disk.reopen(), clock).image.damage).toBe(image.damage);
  });

  test('is whole again once it has been cut there and gone on with', () => {
    const { disk, clock } = damaged();
    const { storage } = open(disk, clock);
    storage.truncate(makeZxid(1, 1), () => {});
    storage.append(runOf(2, 21), () => {});
    clock.advance(1);
    storage.close();
    const { image } = open(disk.reopen(), clock);
    expect(image.damage).toBeUndefined();
    expect(payloadsOf(image)).toEqual([10, 21]);
  });

  test('tells when an older snapshot and the log have taken the place of a newer one', () => {
    const clock = new VirtualClock();
    const disk = new MemoryDisk({ clock });
    const { storage } = open(disk, clock);
    for (let i = 1; i <= 6; i++) {
      storage.append(runOf(i, i), () => {});
      if (i % 2 === 0) storage.saveSnapshot(makeZxid(1, i), [Uint8Array.of(i)], () => {});
      clock.advance(1);
    }
    storage.close();
    const newest = [...disk.files().keys()]
      .filter((name) => name.startsWith('snapshot'))
      .sort()
      .at(-1) as string;
    disk.flip(newest, 8 * 30);
    const notices: Notice[] = [];
    const { image } = open(disk.reopen(), clock, (notice) => notices.push(notice));
    expect(image.damage).toBeUndefined();
    expect(image.snapshot).toEqual({ zxid: makeZxid(1, 4), pieces: [Uint8Array.of(4)] });
    expect(payloadsOf(image)).toEqual([5, 6]);
    expect(notices).toMatchObject([{ type: 'spared', damage: { file: newest } }]);
  });
});

describe('a disk that is nearly full', () => {
  test('loses its snapshots first, then tells, and at last fails an append with all that completed safe', () => {
    const clock = new VirtualClock();
    const disk = new MemoryDisk({ clock, capacityBytes: 2 * 4096 + 3 * (12_288 + 512) + 400 });
    const told: string[] = [];
    const { storage } = open(disk, clock, ({ type }) => told.push(type));
    let completed = 0;
    let error: Error | undefined;
    for (let i = 1; i < 60 && error === undefined; i++) {
      storage.append(runOf(i, 90), (failure) => {
        if (failure === undefined) completed++;
        else error = failure;
      });
      clock.advance(1);
      if (i === 4) storage.saveSnapshot(makeZxid(1, 4), [new Uint8Array(10)], () => told.push('snapshot done'));
    }
    expect(error).toMatchObject({ code: 'NO_SPACE' });
    expect(told).toEqual(['snapshotSkipped', 'snapshot done', 'nearlyFull']);
    expect(payloadsOf(open(disk.reopen(), clock).image)).toHaveLength(completed);
  });
});
