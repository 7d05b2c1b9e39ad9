/** The differential test itself, without Java: two ensembles of ours, one of which is made to answer differently. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReplyMessage, type ServerMessage, Xid, type Zxid } from '@quorate/protocol';
import { VirtualClock } from 'quorate';
import { describe, expect, test } from 'vitest';
import { columns } from '../scripts/differential/columns.ts';
import { compare, ZxidPairs } from '../scripts/differential/compare.ts';
import { differential, type Result } from '../scripts/differential/differential.ts';
import { KNOWN, NOT_GENERATED } from '../scripts/differential/known-differences.ts';
import { startVirtual } from '../scripts/differential/ours.ts';
import type { Accept } from '../scripts/differential/way.ts';

type Tamper = (message: ServerMessage) => ServerMessage;

const untouched: Tamper = (message) => message;

/** Everything that a server sends goes through `tamper`. */
function tampered(tamper: Tamper): (accept: Accept) => Accept {
  return (accept) => (link) =>
    accept({
      ...(link.address !== undefined && { address: link.address }),
      send: (message) => link.send(tamper(message)),
      close: () => link.close(),
    });
}

async function between(theirs: Tamper, ours: Tamper, options: { readonly runs: number; readonly stepsMax: number }): Promise<Result> {
  const clock = new VirtualClock();
  const sides = [await startVirtual(1, clock, tampered(theirs)), await startVirtual(1, clock, tampered(ours))] as const;
  try {
    return await differential({
      theirs: sides[0].ways,
      ours: sides[1].ways,
      known: KNOWN,
      seed: 4,
      shrinksMax: 2000,
      ...options,
    });
  } finally {
    for (const side of sides) await side.close();
  }
}

function onReply(message: ServerMessage, change: (reply: ReplyMessage) => ReplyMessage): ServerMessage {
  return message.kind === 'reply' ? change(message) : message;
}

/** Rows that are known by what was done, and not by a difference: of the watches the reference would have forgotten one, and its zxids may be ours by chance. */
const BY_STEP: ReadonlySet<string> = new Set([
  'watches of several modes of one client at one path',
  'a session that goes on at another server; the zxid',
  'a request whose body cannot be read',
]);

describe('a run', () => {
  test('finds nothing between two that are the same', async () => {
    const { found, tally } = await between(untouched, untouched, { runs: 15, stepsMax: 40 });
    expect(found === undefined ? [] : columns(found.again.laps)).toEqual([]);
    expect(tally.histories).toBe(15);
    expect([...tally.rows.keys()].filter((row) => !BY_STEP.has(row))).toEqual([]);
    expect(tally.outcomes.get('create')?.get('OK')).toBeGreaterThan(0);
  });

  test('finds a planted difference and makes it small', async () => {
    // A deletion is refused for another reason than it should.
    const planted: Tamper = (message) => onReply(message, (reply) => (reply.err === -111 ? { ...reply, err: -110 } : reply));
    const { found } = await between(untouched, planted, { runs: 50, stepsMax: 40 });
    expect(found?.again.differs).toBe(true);
    expect(found?.steps.length).toBeLessThanOrEqual(5);
    const text = columns(found?.again.laps ?? []).join('\n');
    expect(text).toMatch(/err="NOT_EMPTY" +\| .*err="NODE_EXISTS"/);
    expect(text).toContain('.err: theirs "NOT_EMPTY", ours "NODE_EXISTS"');
  });

  test('finds an event of another type', async () => {
    const deaf =
      (ensemble: Tamper): Tamper =>
      (message) =>
        message.kind === 'event' && message.type === 2 ? { ...message, type: 3 } : ensemble(message);
    const { found } = await between(untouched, deaf(untouched), { runs: 50, stepsMax: 40 });
    expect(found?.steps.length).toBeLessThanOrEqual(5);
    expect(columns(found?.again.laps ?? []).join('\n')).toContain('theirs "nodeDeleted", ours "nodeDataChanged"');
  });

  test('ends at once where a server does not answer, and makes nothing smaller', async () => {
    let asked = 0;
    const mute: Tamper = (message) =>
      onReply(message, (reply) => {
        if (reply.xid !== Xid.auth) return reply;
        asked++;
        return { ...reply, xid: 7 };
      });
    await expect(between(untouched, mute, { runs: 50, stepsMax: 40 })).rejects.toThrow('a server does not answer');
    expect(asked).toBe(1);
  });

  test('explains a difference that is listed, and counts it', async () => {
    // Apache ZooKeeper 3.8 has no zxid in an event; docs/compatibility.md says so.
    const older: Tamper = (message) => (message.kind === 'event' ? { ...message, zxid: -1 as Zxid } : message);
    const { found, tally } = await between(older, untouched, { runs: 15, stepsMax: 40 });
    expect(found === undefined ? [] : columns(found.again.laps)).toEqual([]);
    expect(tally.rows.get('the zxid in the header of an event')).toBeGreaterThan(0);
  });

  test('does not explain the same the other way round', async () => {
    const older: Tamper = (message) => (message.kind === 'event' ? { ...message, zxid: -1 as Zxid } : message);
    const { found } = await between(untouched, older, { runs: 50, stepsMax: 40 });
    expect(found?.again.differs).toBe(true);
  });
});

describe('zxids', () => {
  test('are the same where their order is', () => {
    const pairs = new ZxidPairs();
    expect([pairs.add(10, 100), pairs.add(20, 101), pairs.add(15, 100.5), pairs.add(10, 100)]).toEqual([true, true, true, true]);
    expect(pairs.add(10, 101), 'one of theirs, two of ours').toBe(false);
    expect(pairs.add(11, 100), 'two of theirs, one of ours').toBe(false);
    expect(pairs.add(30, 99), 'the other order').toBe(false);
    expect(pairs.add(5, 102), 'the other order').toBe(false);
    expect([pairs.add(0, 0), pairs.add(-1, -1), pairs.add(0, 1), pairs.add(-1, 5)]).toEqual([true, true, false, false]);
  });

  test('are compared wherever they stand', () => {
    const seen = (zxid: number, pzxid: number) => ({
      'slot 0': { ended: false, messages: [{ kind: 'reply', zxid, response: { stat: { pzxid, version: 1 } } }] },
    });
    const pairs = new ZxidPairs();
    expect(compare(seen(7, 6), seen(107, 106), pairs)).toEqual([]);
    expect(compare(seen(8, 6), seen(108, 107), pairs).map(({ where }) => where)).toEqual([
      'slot 0.messages[0].response.stat.pzxid, by its order',
    ]);
  });
});

test('every row of docs/compatibility.md is known, or says why no history meets it; and nothing else is', () => {
  const text = readFileSync(join(import.meta.dirname, '../docs/compatibility.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (.+?) \| /gm)].map(([, first]) => first ?? '').filter((first) => first !== 'What');
  expect([...KNOWN.map(({ row }) => row), ...NOT_GENERATED.keys()].sort()).toEqual(rows.sort());
});
