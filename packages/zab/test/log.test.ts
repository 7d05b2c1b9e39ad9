import { epochOf, makeZxid, type Zxid } from '@quorate/protocol';
import { Log, planSync, type Run } from '@quorate/zab';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** The dumb twin: a list of entries. */
interface Model {
  base: Zxid;
  entries: { zxid: Zxid; payload: Uint8Array }[];
}

const lastOf = (model: Model): Zxid => model.entries[model.entries.length - 1]?.zxid ?? model.base;

const commands = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('append' as const), newEpoch: fc.boolean(), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: fc.constant('truncate' as const), at: fc.nat(20) }),
    fc.record({ type: fc.constant('compact' as const), at: fc.nat(20), keep: fc.nat(3) }),
    fc.record({ type: fc.constant('reset' as const), epoch: fc.nat(5), counter: fc.nat(5) }),
  ),
  { maxLength: 30 },
);

test('a log behaves as a list of entries above a base', () => {
  fc.assert(
    fc.property(commands, (plan) => {
      const model: Model = { base: makeZxid(0, 0), entries: [] };
      const log = new Log(model.base);
      let stamp = 0;
      for (const command of plan) {
        const places = [model.base, ...model.entries.map(({ zxid }) => zxid)];
        if (command.type === 'append') {
          const last = lastOf(model);
          const first = command.newEpoch || epochOf(last) === 0 ? makeZxid(epochOf(last) + 1, 1) : ((last + 1) as Zxid);
          const payloads = Array.from({ length: command.count }, () => new Uint8Array([stamp++]));
          log.append({ zxid: first, payloads });
          payloads.forEach((payload, i) => model.entries.push({ zxid: (first + i) as Zxid, payload }));
        } else if (command.type === 'truncate') {
          const zxid = places[command.at % places.length] as Zxid;
          log.truncate(zxid);
          model.entries = model.entries.filter((entry) => entry.zxid <= zxid);
        } else if (command.type === 'compact') {
          const zxid = places[command.at % places.length] as Zxid;
          log.compact(zxid, command.keep);
          const covered = model.entries.filter((entry) => entry.zxid <= zxid).length;
          const dropped = model.entries.splice(0, Math.max(0, Math.min(covered, model.entries.length - command.keep)));
          model.base = dropped[dropped.length - 1]?.zxid ?? model.base;
        } else {
          model.base = makeZxid(command.epoch, command.counter);
          model.entries = [];
          log.reset(model.base);
        }
        expectSame(log, model);
      }
    }),
  );
});

function expectSame(log: Log, model: Model): void {
  expect(log.base).toBe(model.base);
  expect(log.lastZxid).toBe(lastOf(model));
  expect(log.length).toBe(model.entries.length);
  const places = [model.base, ...model.entries.map(({ zxid }) => zxid)];
  for (const after of places) {
    expect(log.contains(after)).toBe(true);
    const runs = log.runs(after, log.lastZxid);
    expect(runs.flatMap(entriesOf)).toEqual(model.entries.filter(({ zxid }) => zxid > after));
    for (const run of runs) expect(epochOf(run.zxid)).toBe(epochOf((run.zxid + run.payloads.length - 1) as Zxid));
  }
  for (let epoch = 0; epoch < 8; epoch++) {
    const inEpoch = places.filter((zxid) => epochOf(zxid) === epoch);
    expect(log.lastOfEpoch(epoch)).toBe(inEpoch[inEpoch.length - 1]);
    for (let counter = 0; counter < 8; counter++) {
      const zxid = makeZxid(epoch, counter);
      expect(log.contains(zxid)).toBe(places.includes(zxid));
    }
  }
}

const entriesOf = (run: Run) => run.payloads.map((payload, i) => ({ zxid: (run.zxid + i) as Zxid, payload }));

test('a run that would leave a hole is refused', () => {
  const log = new Log(makeZxid(1, 3));
  const payloads = [new Uint8Array()];
  for (const zxid of [makeZxid(1, 3), makeZxid(1, 5), makeZxid(2, 0), makeZxid(2, 2), makeZxid(0, 1)]) {
    expect(() => log.append({ zxid, payloads }), `${epochOf(zxid)}`).toThrow('no holes');
  }
  expect(() => log.append({ zxid: makeZxid(1, 4), payloads: [] })).toThrow('never empty');
  log.append({ zxid: makeZxid(1, 4), payloads });
  log.append({ zxid: makeZxid(4, 1), payloads });
  expect(log.length).toBe(2);
});

describe('planSync', () => {
  /** The leader: a snapshot up to (1, 5), then (1, 6) (1, 7) (3, 1) (3, 2). */
  const log = new Log(makeZxid(1, 5));
  log.append({ zxid: makeZxid(1, 6), payloads: [new Uint8Array(), new Uint8Array()] });
  log.append({ zxid: makeZxid(3, 1), payloads: [new Uint8Array(), new Uint8Array()] });

  test.each([
    ['is at the end', makeZxid(3, 2), { mode: 'DIFF', from: makeZxid(3, 2) }],
    ['is behind in the last epoch', makeZxid(3, 1), { mode: 'DIFF', from: makeZxid(3, 1) }],
    ['is behind by an epoch', makeZxid(1, 6), { mode: 'DIFF', from: makeZxid(1, 6) }],
    ['is where the log begins', makeZxid(1, 5), { mode: 'DIFF', from: makeZxid(1, 5) }],
    ['is below what the log still has', makeZxid(1, 4), { mode: 'LOG', from: makeZxid(1, 4) }],
    ['is empty and the log is not whole', makeZxid(0, 0), { mode: 'LOG', from: makeZxid(0, 0) }],
    ['is below it in an epoch that the leader may not have', makeZxid(0, 7), { mode: 'LOG', from: makeZxid(0, 7) }],
    ['is ahead in the last epoch', makeZxid(3, 9), { mode: 'TRUNC', from: makeZxid(3, 2) }],
    ['is ahead in an earlier epoch', makeZxid(1, 9), { mode: 'TRUNC', from: makeZxid(1, 7) }],
    ['is in an epoch that the leader has not, in between', makeZxid(2, 1), { mode: 'SNAP' }],
    ['is in an epoch that the leader has not, above', makeZxid(4, 1), { mode: 'SNAP' }],
  ] as const)('a learner that %s', (_, learner, plan) => {
    expect(planSync(log, learner)).toEqual(plan);
  });

  test('a learner that is ahead in the epoch of the base, of which nothing is left above it, is cut there', () => {
    const short = new Log(makeZxid(1, 5));
    short.append({ zxid: makeZxid(3, 1), payloads: [new Uint8Array()] });
    expect(planSync(short, makeZxid(1, 8))).toEqual({ mode: 'TRUNC', from: makeZxid(1, 5) });
  });

  test('a snapshot of Apache’s at the beginning of its epoch is no place to cut at, because a learner that got the txns of the epoch does not have it', () => {
    const learner = new Log(makeZxid(1, 5));
    learner.append({ zxid: makeZxid(2, 1), payloads: [new Uint8Array()] });
    const leader = new Log(makeZxid(2, 0));
    expect(learner.contains(leader.base)).toBe(false);
    expect(planSync(leader, learner.lastZxid)).toEqual({ mode: 'SNAP' });
    // And the other way round: one that has nothing but that place.
    expect(planSync(learner, leader.lastZxid)).toEqual({ mode: 'SNAP' });
    expect(planSync(leader, leader.lastZxid)).toEqual({ mode: 'DIFF', from: leader.base });
  });
});
