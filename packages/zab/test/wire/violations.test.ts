/**
 * What a byte transport must not do, one test each: it is found, it is reported by name, both ends are closed, and what had been received until then is a
 * prefix of what was sent. The letters are those of the faults that a transport is not allowed: (a) loss in the middle, (b) duplication, (c) reordering,
 * (d) delivery after a close, (e) corruption, (f) cross-wiring, (g) wrong splits and merges; (h), silence, is in `framed-ensemble.test.ts` and, for handshakes
 * and notifications, in `framed-transport.test.ts`.
 */
import { crc32 } from '@quorate/protocol';
import type { ByteChannel, Way } from '@quorate/zab';
import { describe, expect, test } from 'vitest';
import { FrameReader, FrameWriter, type Nonce } from '../../src/wire/frame.js';
import { decodeHello, encodeHello, type Hello } from '../../src/wire/hello.js';
import { FramedPair, round, sync } from '../support/framed-pair.js';
import { concat, flipBit } from './arbitraries.js';
import { hex } from './hex.js';

const NOTHING = new Uint8Array(0);

/** A pair with a learner channel that is open in both directions. */
function withChannel() {
  const pair = new FramedPair();
  const channel = pair.first.open(2, pair.one.handler('to 2'));
  pair.settle();
  pair.two.heard.length = 0;
  return { pair, channel };
}

/** Sends 1 to 5 over a channel on which a test alters what the opener sends, then again 6: what is heard, and the rules that were broken. */
function heardThrough(alter: (chunk: Uint8Array, index: number) => readonly Uint8Array[]) {
  const { pair, channel } = withChannel();
  const before = pair.network.chunksOf(0, true).length;
  pair.network.alter = (chunk, way) => (way.forth ? alter(chunk, way.index - before) : [chunk]);
  for (const tag of [1, 2, 3, 4, 5]) channel.send(sync(tag));
  pair.settle();
  channel.send(sync(6));
  pair.settle();
  return { heard: pair.two.heard, rules: pair.two.rules, closed: pair.one.heard };
}

/** What is heard where the third chunk of five is where the fault shows. */
const upToTwo = (rule: string) => ({ heard: ['1: 1', '1: 2', '1 closed'], rules: [rule], closed: ['to 2 closed'] });

test('(a) loss in the middle', () => {
  expect(heardThrough((chunk, index) => (index === 2 ? [] : [chunk]))).toEqual(upToTwo('FRAME_LOST'));
});

test('(b) duplication', () => {
  const { heard, ...rest } = heardThrough((chunk, index) => (index === 2 ? [chunk, chunk] : [chunk]));
  expect(heard).toEqual(['1: 1', '1: 2', '1: 3', '1 closed']);
  expect(rest).toMatchObject({ rules: ['FRAME_REPEATED'], closed: ['to 2 closed'] });
});

test('(c) reordering', () => {
  let held: Uint8Array = NOTHING;
  const swap = (chunk: Uint8Array, index: number): Uint8Array[] => {
    if (index === 2) held = chunk;
    return index === 2 ? [] : index === 3 ? [chunk, held] : [chunk];
  };
  expect(heardThrough(swap)).toEqual(upToTwo('FRAME_LOST'));
});

describe('(d) delivery after a close', () => {
  test('by the other end', () => {
    const { pair, channel } = withChannel();
    channel.send(sync(1));
    channel.close();
    pair.settle();
    const [late] = pair.network.chunksOf(0, true).slice(-1) as [Uint8Array];
    pair.network.inject(0, 'far', late);
    pair.network.inject(0, 'far', late);
    expect(pair.two.heard).toEqual(['1: 1', '1 closed']);
    expect(pair.two.violations).toMatchObject([{ rule: 'BYTES_AFTER_CLOSE', peer: 1, purpose: 'LEARNER' }]);
  });

  test('by this end', () => {
    const { pair, channel } = withChannel();
    pair.two.channels[0]?.send(sync(1));
    channel.close();
    pair.network.inject(0, 'near', pair.network.chunksOf(0, false).at(-1) as Uint8Array);
    expect(pair.one.heard).toEqual([]);
    expect(pair.one.rules).toEqual(['BYTES_AFTER_CLOSE']);
  });

  test('of a connection that has ended, on a later one', () => {
    const { pair, channel } = withChannel();
    channel.send(sync(1));
    channel.close();
    pair.settle();
    const late = pair.network.chunksOf(0, true).at(-1) as Uint8Array;
    pair.first.open(2, pair.one.handler('again'));
    pair.settle();
    pair.network.inject(1, 'far', late);
    pair.settle();
    expect(pair.two.heard).toEqual(['1: 1', '1 closed', 'channel of 1', '1 closed']);
    expect(pair.two.rules).toEqual(['FOREIGN_FRAME']);
    expect(pair.one.heard).toEqual(['again closed']);
  });
});

test('(e) corruption, whichever bit it is', () => {
  // A header of 28 bytes, and a body of 12.
  for (let bit = 0; bit < 40 * 8; bit++) {
    expect(heardThrough((chunk, index) => (index === 2 ? [flipBit(chunk, bit)] : [chunk]))).toEqual(upToTwo('CORRUPT_FRAME'));
  }
});

describe('(f) cross-wiring', () => {
  test('of two connections between the same servers', () => {
    const { pair, channel } = withChannel();
    pair.first.open(2, pair.one.handler('other'));
    pair.settle();
    // Both have carried as much, so that the numbers of their frames fit.
    channel.send(sync(1));
    const [chunk] = pair.network.chunksOf(0, true).slice(-1) as [Uint8Array];
    pair.network.inject(1, 'far', chunk);
    pair.settle();
    expect(pair.two.heard).toEqual(['channel of 1', '1 closed', '1: 1']);
    expect(pair.two.rules).toEqual(['FOREIGN_FRAME']);
    expect(pair.one.heard).toEqual(['other closed']);
  });

  test('of the two directions of one connection', () => {
    const { pair, channel } = withChannel();
    channel.send(sync(1));
    const sent = pair.network.chunksOf(0, true);
    pair.network.inject(0, 'near', sent[2] as Uint8Array);
    expect(pair.one.rules).toEqual(['FOREIGN_FRAME']);
    expect(pair.one.heard).toEqual(['to 2 closed']);
  });

  test('of two handshakes', () => {
    const pair = new FramedPair();
    const hellos: Uint8Array[] = [];
    pair.network.alter = (chunk, way) => {
      if (!way.forth || way.index > 0) return [chunk];
      hellos.push(chunk);
      // Each connection is given the hello of the first.
      return [hellos[0] as Uint8Array];
    };
    pair.first.open(2, pair.one.handler('one'));
    pair.first.open(2, pair.one.handler('two'));
    pair.settle();
    expect(pair.one.rules).toEqual(['FOREIGN_FRAME']);
    expect(pair.one.heard).toEqual(['two closed']);
    expect(pair.two.heard).toEqual(['channel of 1']);
  });

  test('of a whole connection that has ended: nothing of it is believed again', () => {
    const { pair, channel } = withChannel();
    channel.send(sync(1));
    channel.close();
    pair.settle();
    pair.two.heard.length = 0;
    const again = pair.network.transport(1).open(2, { onBytes: () => {}, onClose: () => {} });
    for (const chunk of pair.network.chunksOf(0, true)) again.send(chunk);
    pair.settle();
    expect(pair.two.heard).toEqual([]);
    expect(pair.two.rules).toEqual(['FOREIGN_FRAME']);
  });
});

describe('(g) wrong splits and merges', () => {
  test('a byte that is lost where a chunk is split, or comes twice', () => {
    for (let at = 0; at < 40; at++) {
      const lost = heardThrough((chunk, index) => (index === 2 ? [chunk.slice(0, at), chunk.slice(at + 1)] : [chunk]));
      expect(lost).toEqual(upToTwo('CORRUPT_FRAME'));
      const twice = heardThrough((chunk, index) => (index === 2 ? [chunk.slice(0, at + 1), chunk.slice(at)] : [chunk]));
      expect(twice.rules).toEqual(['CORRUPT_FRAME']);
      expect(['1: 1,1: 2,1 closed', '1: 1,1: 2,1: 3,1 closed']).toContain(twice.heard.join());
    }
  });

  test('halves that change places', () => {
    for (let at = 1; at < 40; at++) {
      expect(heardThrough((chunk, index) => (index === 2 ? [chunk.slice(at), chunk.slice(0, at)] : [chunk]))).toEqual(
        upToTwo('CORRUPT_FRAME'),
      );
    }
  });

  test('chunks that are merged with one between them left out', () => {
    const held: Uint8Array[] = [];
    const merge = (chunk: Uint8Array, index: number): Uint8Array[] => {
      if (index < 2 || index > 4) return [chunk];
      held.push(chunk);
      return index < 4 ? [] : [concat([held[1] as Uint8Array, chunk])];
    };
    expect(heardThrough(merge)).toEqual(upToTwo('FRAME_LOST'));
  });
});

/** A stranger that speaks frames by hand over a byte channel to server 2. */
class Stranger {
  readonly pair = new FramedPair();
  readonly #channel: ByteChannel;
  readonly #writer = new FrameWriter();
  readonly #reader = new FrameReader();
  isClosed = false;
  /** The nonce of server 2. */
  answer: Hello | undefined;
  readonly nonce: Nonce = { high: 1, low: 2 };
  bodies: Uint8Array[] = [];

  constructor() {
    this.#reader.expect(this.nonce, 10_000);
    this.#channel = this.pair.network.transport(1).open(2, {
      onBytes: (bytes) => {
        this.#reader.push(bytes);
        for (let body = this.#reader.next(); body !== undefined; body = this.#reader.next()) this.bodies.push(body);
      },
      onClose: () => {
        this.isClosed = true;
      },
    });
  }

  /** Sends frames with these bodies in one chunk. */
  say(...bodies: readonly Uint8Array[]): void {
    this.#channel.send(concat(bodies.map((body) => this.#writer.frame(body))));
    this.pair.settle();
  }

  sayHello(hello: Partial<Hello> = {}): void {
    this.say(encodeHello({ purpose: 'LEARNER', from: 1, to: 2, ensembleId: '', nonce: this.nonce, ...hello }));
    const answer = this.bodies.shift();
    if (answer === undefined) return;
    this.answer = decodeHello(answer) as Hello;
    this.#writer.address(this.answer.nonce);
  }

  get rules(): string[] {
    return this.pair.two.rules;
  }

  get heard(): string[] {
    return this.pair.two.heard;
  }
}

describe('a handshake that is none', () => {
  /** A hello whose int at `at` is another. */
  function patched(at: number, value: number): Uint8Array {
    const body = encodeHello({ purpose: 'LEARNER', from: 1, to: 2, ensembleId: 'shop', nonce: { high: 1, low: 2 } });
    new DataView(body.buffer).setInt32(at, value);
    return body;
  }
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['something else', hex('00010203'), 'BAD_HELLO'],
    ['nothing', NOTHING, 'BAD_HELLO'],
    ['another magic', patched(0, 0x1234_5678), 'BAD_HELLO'],
    ['a later version', patched(4, 2), 'OTHER_VERSION'],
    ['a later version that is longer and says other things', concat([patched(4, 2).slice(0, 8), hex('ffff')]), 'OTHER_VERSION'],
    ['no purpose', patched(8, 0), 'BAD_HELLO'],
    ['another purpose', patched(8, 3), 'BAD_HELLO'],
    ['a server that is none', patched(12, 0), 'BAD_HELLO'],
    ['one who wants another server', patched(16, 3), 'WRONG_SERVER'],
    ['more than a hello', concat([patched(16, 2), NOTHING, hex('00')]), 'BAD_HELLO'],
    ['less than a hello', patched(16, 2).slice(0, -1), 'BAD_HELLO'],
    ['more than a hello can be', new Uint8Array(2000), 'FRAME_TOO_LARGE'],
  ];
  for (const [what, body, rule] of cases) {
    test(what, () => {
      const stranger = new Stranger();
      stranger.say(body);
      expect(stranger).toMatchObject({ rules: [rule], heard: [], isClosed: true, bodies: [] });
    });
  }

  test('the bytes of a hello', () => {
    expect(encodeHello({ purpose: 'LEARNER', from: 1, to: 2, ensembleId: 'shop', nonce: { high: 0xf1f2_f3f4, low: 5 } })).toEqual(
      hex('515a4142 00000001 00000002 00000001 00000002 f1f2f3f4 00000005 00000004 73686f70'),
    );
  });

  test('an opener that does not prove that its hello is of now', () => {
    const stranger = new Stranger();
    stranger.sayHello();
    expect(stranger).toMatchObject({ rules: [], heard: [], isClosed: false });
    stranger.say(hex('0000000d'));
    expect(stranger).toMatchObject({ rules: ['BAD_HELLO'], heard: [], isClosed: true });
  });

  test('an answer of another server, of another purpose, of another ensemble', () => {
    const answers: readonly (readonly [Partial<Hello>, string])[] = [
      [{ from: 3 }, 'WRONG_SERVER'],
      [{ to: 3 }, 'WRONG_SERVER'],
      [{ purpose: 'ELECTION' }, 'BAD_HELLO'],
      [{ ensembleId: 'bank' }, 'OTHER_ENSEMBLE'],
    ];
    for (const [hello, rule] of answers) {
      const pair = new FramedPair({ one: { ensembleId: 'shop' } });
      pair.network.transport(9).start((channel) => {
        const reader = new FrameReader();
        return {
          onBytes: (bytes) => {
            reader.push(bytes);
            const body = reader.next();
            if (body === undefined) return;
            const { nonce } = decodeHello(body) as Hello;
            const writer = new FrameWriter();
            writer.address(nonce);
            channel.send(
              writer.frame(encodeHello({ purpose: 'LEARNER', from: 9, to: 1, ensembleId: '', nonce: { high: 1, low: 1 }, ...hello })),
            );
          },
          onClose: () => {},
        };
      });
      const channel = pair.first.open(9, pair.one.handler('to 9'));
      channel.send(sync(1));
      pair.settle();
      expect(pair.one.violations).toMatchObject([{ rule, peer: 9, purpose: 'LEARNER' }]);
      expect(pair.one.heard).toEqual(['to 9 closed']);
      // Nothing but the hello was told to it.
      expect(pair.network.chunksOf(0, true).length).toBe(1);
    }
  });
});

describe('a frame that is no message', () => {
  test('on a learner channel', () => {
    for (const body of [NOTHING, hex('00000063'), hex('0000000d 00'), hex('00000002 00000001 00000001 00000000')]) {
      const stranger = new Stranger();
      stranger.sayHello();
      stranger.say(NOTHING);
      stranger.say(hex('0000000d'));
      stranger.say(body);
      expect(stranger).toMatchObject({ rules: ['BAD_MESSAGE'], heard: ['channel of 1', '1: DIFF', '1 closed'], isClosed: true });
    }
  });

  test('is not looked at once the receiver has closed the channel, within a chunk either', () => {
    const stranger = new Stranger();
    stranger.sayHello();
    stranger.say(NOTHING);
    stranger.pair.two.act = () => stranger.pair.two.channels[0]?.close();
    stranger.say(hex('0000000d'), NOTHING, hex('0000000c'));
    expect(stranger).toMatchObject({ rules: [], heard: ['channel of 1', '1: DIFF'], isClosed: true });
  });

  test('on an election channel', () => {
    const stranger = new Stranger();
    stranger.sayHello({ purpose: 'ELECTION' });
    stranger.say(NOTHING);
    stranger.say(hex('0000000d'));
    expect(stranger).toMatchObject({ rules: ['BAD_MESSAGE'], heard: [], isClosed: true });
  });

  test('an acknowledgement of nothing, or one that is more', () => {
    for (const body of [NOTHING, hex('01')]) {
      const pair = new FramedPair();
      const unacknowledged = body.length > 0;
      const swallow = (chunk: Uint8Array, way: Way): Uint8Array[] => (unacknowledged && !way.forth && way.index > 0 ? [] : [chunk]);
      pair.network.alter = swallow;
      pair.first.notify(2, round(1));
      pair.settle();
      // The frame that follows what server 2 has sent, or takes its place.
      const hello = new FrameReader();
      hello.push(pair.network.chunksOf(0, true)[0] as Uint8Array);
      const { nonce } = decodeHello(hello.next() as Uint8Array) as Hello;
      const writer = new FrameWriter();
      writer.address(nonce);
      const sent = unacknowledged ? 1 : 2;
      for (let i = 0; i < sent; i++) writer.frame(NOTHING);
      pair.network.inject(0, 'near', writer.frame(body));
      expect(pair.one.violations).toMatchObject([{ rule: 'BAD_MESSAGE', peer: 2, purpose: 'ELECTION' }]);
      expect(pair.network.ends[0]?.near.isOpen).toBe(false);
      // The next notification goes over a new channel.
      pair.network.alter = (chunk) => [chunk];
      pair.first.notify(2, round(2));
      pair.settle();
      expect(pair.two.heard).toEqual(['round 1 of 1', 'round 2 of 1']);
    }
  });
});

test('a whole frame that is larger than any may be', () => {
  const { pair } = withChannel();
  const nonceOfTwo = pair.network.chunksOf(0, true)[1]?.slice(4, 12) as Uint8Array;
  const view = new DataView(nonceOfTwo.buffer);
  const writer = new FrameWriter();
  writer.address({ high: view.getUint32(0), low: view.getUint32(4) });
  writer.frame(NOTHING);
  writer.frame(NOTHING);
  const header = writer.frame(NOTHING);
  // A sender whose limit is another: the length, and the checksum that goes with it.
  new DataView(header.buffer).setUint32(0, 0x0100_0001);
  new DataView(header.buffer).setUint32(24, crc32(header, 0, 24));
  pair.network.inject(0, 'far', header);
  expect(pair.two.rules).toEqual(['FRAME_TOO_LARGE']);
  expect(pair.two.heard).toEqual(['1 closed']);
});
