import { VirtualClock } from '@quorate/ports';
import { makeZxid, type Zxid } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { MemoryStorage, type StoredImage } from '../src/index.js';

const PIECES = 1_000;
const zxid = (counter: number): Zxid => makeZxid(1, counter);

function* pieces(onPiece: (index: number) => void = () => {}): Generator<Uint8Array> {
  for (let index = 0; index < PIECES; index++) {
    onPiece(index);
    yield Uint8Array.of(index);
  }
}

function setUp() {
  const clock = new VirtualClock();
  const storage = new MemoryStorage({ clock });
  storage.append({ zxid: zxid(1), payloads: [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] }, () => {});
  clock.advance(0);
  const recovered = (): StoredImage => {
    let image: StoredImage | Error | undefined;
    storage.recover((result) => {
      image = result;
    });
    clock.advance(0);
    return image as StoredImage;
  };
  return { clock, storage, recovered };
}

test('a large snapshot is taken over many turns', () => {
  const { clock, storage, recovered } = setUp();
  let taken = 0;
  let done = false;
  storage.saveSnapshot(
    zxid(2),
    pieces(() => taken++),
    () => {
      done = true;
    },
  );
  for (let turns = 1; !done; turns++) {
    expect(taken).toBeLessThanOrEqual(turns * 4 + 1);
    clock.step();
  }
  expect(recovered().snapshot).toMatchObject({ zxid: zxid(2), pieces: { length: PIECES } });
  expect(recovered().runs).toMatchObject([{ zxid: zxid(3) }]);
});

test('a crash ends a snapshot that is being taken', () => {
  const { clock, storage, recovered } = setUp();
  let done = false;
  storage.saveSnapshot(zxid(2), pieces(), () => {
    done = true;
  });
  clock.step();
  storage.close();
  clock.advance(0);
  expect(done).toBe(false);
  expect(recovered().snapshot).toBe(undefined);
});

test('a snapshot that is received while an older one is taken stays', () => {
  const { clock, storage, recovered } = setUp();
  let done = false;
  storage.saveSnapshot(zxid(2), pieces(), () => {
    done = true;
  });
  storage.installSnapshot({ zxid: zxid(9), pieces: [] }, [], () => {});
  clock.advance(0);
  expect(done).toBe(true);
  expect(recovered()).toMatchObject({ snapshot: { zxid: zxid(9) }, runs: [] });
});
