/** A damaged store says what it lacks, and is made whole by it: whatever is lost of it, and whenever the power fails meanwhile. */
import { MemoryDisk, type Random, randomBelow, SeededRandom, VirtualClock } from '@quorate/ports';
import { makeZxid, type Zxid } from '@quorate/protocol';
import { extendChain, type Gap, type Run, type Salvage, type StoredImage } from '@quorate/zab';
import { describe, expect, test } from 'vitest';
import { open } from './open-store.js';

type Entry = readonly [zxid: Zxid, payload: Uint8Array];

const entriesOf = (runs: readonly Run[]): Entry[] =>
  runs.flatMap(({ zxid, payloads }) => payloads.map((payload, i): Entry => [(zxid + i) as Zxid, payload]));
const printed = (entries: readonly Entry[]): string => entries.map(([zxid, payload]) => `${zxid}=${[...payload]}`).join(' ');

/** A store at rest, in several segments and epochs, with runs of one txn and more, perhaps cut in the middle of one; and what it holds. */
function used(random: Random): { files: Map<string, Uint8Array>; entries: Entry[]; snapshot: Zxid } {
  const clock = new VirtualClock();
  const disk = new MemoryDisk({ clock });
  const { storage } = open(disk, clock);
  let entries: Entry[] = [];
  let zxid = makeZxid(1, 1);
  let snapshot = 0 as Zxid;
  for (let i = 0; i < 14; i++) {
    const payloads = Array.from({ length: 1 + randomBelow(random, 3) }, () =>
      Uint8Array.from({ length: randomBelow(random, 60) }, () => randomBelow(random, 256)),
    );
    const run = { zxid, payloads };
    storage.append(run, () => {});
    entries.push(...entriesOf([run]));
    zxid = (zxid + payloads.length) as Zxid;
    if (randomBelow(random, 5) === 0) {
      const [last] = entries[entries.length - 1 - randomBelow(random, payloads.length)] as Entry;
      entries = entries.filter(([one]) => one <= last);
      storage.truncate(last, () => {});
      zxid = makeZxid(Math.floor(zxid / 2 ** 32) + 1, 1);
    } else if (randomBelow(random, 8) === 0) {
      [snapshot] = entries[entries.length - 1] as Entry;
      storage.saveSnapshot(snapshot, [Uint8Array.of(1)], () => {});
    }
    clock.advance(1);
  }
  storage.close();
  return { files: new Map(disk.files()), entries, snapshot };
}

/** The txns of a gap, by one who has them all. */
function closing({ after, before, chain, proof }: Gap, entries: readonly Entry[]): Entry[] {
  const found = entries.filter(([zxid]) => zxid > after && zxid < before);
  expect(found.reduce((reached, [zxid, payload]) => extendChain(reached, zxid, payload), chain)).toBe(proof);
  return found;
}

function mendedRuns(image: StoredImage, salvage: Salvage, entries: readonly Entry[]): Run[] {
  const last = entriesOf(image.runs).at(-1)?.[0] ?? image.snapshot?.zxid ?? 0;
  return [...salvage.gaps.flatMap((gap) => closing(gap, entries)), ...entriesOf(salvage.runs)]
    .filter(([zxid]) => zxid > last)
    .sort(([a], [b]) => a - b)
    .map(([zxid, payload]) => ({ zxid, payloads: [payload] }));
}

/** Spoils a part of the log: a stretch of it, a whole file, or a place that the device cannot read. */
function spoil(random: Random, files: Map<string, Uint8Array>): void {
  const segments = [...files].filter(([name, bytes]) => name.startsWith('segment') && bytes.some((byte) => byte !== 0));
  const victim = segments[randomBelow(random, Math.max(1, segments.length))];
  if (victim === undefined) return;
  const [name, bytes] = victim;
  const copy = bytes.slice();
  const written = copy.findLastIndex((byte) => byte !== 0);
  if (randomBelow(random, 10) === 0) files.delete(name);
  else {
    const from = randomBelow(random, 8) === 0 ? 0 : 12_288 + randomBelow(random, Math.max(1, written - 12_288));
    copy.fill(randomBelow(random, 2) === 0 ? 0 : 0xff, from, from + 1 + randomBelow(random, 120));
    files.set(name, copy);
  }
}

describe('a damaged store', () => {
  test('is whole again when its gaps are closed, whatever was lost', () => {
    const seen = { mended: 0, 'several gaps': 0, 'end not known': 0, 'not to be mended': 0, 'nothing needed': 0 };
    for (let seed = 1; seed <= 200; seed++) {
      const random = new SeededRandom(seed);
      const { files, entries, snapshot } = used(random);
      for (let times = 1 + randomBelow(random, 3); times > 0; times--) spoil(random, files);
      const clock = new VirtualClock();
      const disk = MemoryDisk.of(files, { clock });
      const { storage, image } = open(disk, clock);
      const { salvage } = image;
      if (image.damage === undefined || salvage === undefined) {
        if (image.damage !== undefined) seen['not to be mended']++;
        continue;
      }
      if (salvage.gaps.length > 1) seen['several gaps']++;
      if (salvage.gaps.length === 0) seen['nothing needed']++;
      if (!salvage.endIsKnown) seen['end not known']++;
      const runs = mendedRuns(image, salvage, entries);
      let completed = false;
      storage.mend(runs, (error) => {
        completed = error === undefined;
      });
      clock.advance(1);
      expect(completed, `seed ${seed}`).toBe(true);
      storage.close();
      const after = open(disk.reopen(), clock).image;
      const wanted = entries.filter(([zxid]) => zxid > (after.snapshot?.zxid ?? 0));
      expect(after.damage, `seed ${seed}`).toBeUndefined();
      expect(after.snapshot?.zxid ?? 0).toBe(snapshot);
      const found = entriesOf(after.runs);
      // Where it says that its end is not known, others have to be asked; else it has all that it had.
      if (salvage.endIsKnown) expect(printed(found), `seed ${seed}`).toBe(printed(wanted));
      else expect(printed(wanted).startsWith(printed(found)), `seed ${seed}`).toBe(true);
      seen.mended++;
    }
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
  });

  test('goes on where it ends, once it is mended', () => {
    const { disk, clock, entries } = lostInTheMiddle();
    const { storage, image } = open(disk, clock);
    storage.mend(mendedRuns(image, image.salvage as Salvage, entries), () => {});
    storage.append({ zxid: makeZxid(1, 5), payloads: [Uint8Array.of(5)] }, () => {});
    clock.advance(1);
    storage.close();
    const after = open(disk.reopen(), clock).image;
    expect(entriesOf(after.runs).map(([, payload]) => payload[0])).toEqual([1, 2, 3, 4, 5]);
  });

  test('is damaged still, or whole, wherever the power fails while it is mended', () => {
    const { disk: whole, clock: firstClock, entries } = lostInTheMiddle();
    const states = new Set<string>();
    for (let call = 1; call < 40; call++) {
      const clock = firstClock;
      let calls = 0;
      let lost: MemoryDisk | undefined;
      const random = new SeededRandom(call);
      const disk: MemoryDisk = whole.copy({
        clock,
        onCall: () => (++calls === call ? void (lost = disk.crash(random, { clock })) : undefined),
      });
      const { storage, image } = open(disk, clock);
      storage.mend(mendedRuns(image, image.salvage as Salvage, entries), () => {});
      clock.advance(1);
      storage.close();
      const after = open(lost ?? disk.reopen({ clock }), clock).image;
      const counters = entriesOf(after.runs).map(([, payload]) => payload[0]);
      states.add(`${counters} ${after.damage === undefined ? 'whole' : 'damaged'} ${after.salvage?.gaps.length ?? 0}`);
    }
    expect([...states].sort()).toEqual(['1 damaged 1', '1,2,3,4 whole 0']);
  });
});

/** Four entries, of which the second cannot be read. */
function lostInTheMiddle(): { disk: MemoryDisk; clock: VirtualClock; entries: Entry[] } {
  const clock = new VirtualClock();
  const disk = new MemoryDisk({ clock });
  const { storage } = open(disk, clock);
  const runs = [1, 2, 3, 4].map((counter): Run => ({ zxid: makeZxid(1, counter), payloads: [new Uint8Array(20).fill(counter)] }));
  for (const run of runs) {
    storage.append(run, () => {});
    clock.advance(1);
  }
  storage.close();
  const [name, bytes] = [...disk.files()].find(([, content]) => content.includes(2, 12_288) && content.includes(3, 12_400)) as [
    string,
    Uint8Array,
  ];
  const files = new Map(disk.files());
  const copy = bytes.slice();
  const at = copy.findIndex((byte, i) => byte === 2 && i > 12_288 && copy[i + 1] === 2 && copy[i + 2] === 2);
  copy.fill(0, at, at + 4);
  files.set(name, copy);
  return { disk: MemoryDisk.of(files, { clock }), clock, entries: entriesOf(runs) };
}
