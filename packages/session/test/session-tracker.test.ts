import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SessionTracker } from '../src/index.js';

const TICK_MS = 100;

/** Sessions by what they are promised: no end before `notBefore`. */
class TrackerModel {
  sessions = new Map<bigint, { timeoutMs: number; notBefore: number; closing: boolean; owner: number | undefined }>();
}

interface Step {
  readonly kind: 'open' | 'touch' | 'close' | 'beginClosing' | 'expire' | 'restart' | 'setOwner';
  readonly id: bigint;
  readonly timeoutMs: number;
  readonly passMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'open',
    'open',
    'touch',
    'touch',
    'touch',
    'close',
    'beginClosing',
    'expire',
    'expire',
    'expire',
    'restart',
    'setOwner',
  ),
  id: fc.bigInt({ min: -3n, max: 4n }),
  timeoutMs: fc.nat(700),
  passMs: fc.oneof(fc.nat(60), fc.nat(400), fc.constant(0.25)),
});

test('a tracker expires what the model says, never early and at most a tick late', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const tracker = new SessionTracker(TICK_MS);
      const model = new TrackerModel();
      let nowMs = 12_345.5;
      for (const one of steps) {
        nowMs += one.passMs;
        take(tracker, model, one, nowMs);
        expect(tracker.size).toBe(model.sessions.size);
        for (const [id, session] of model.sessions) {
          expect(tracker.has(id)).toBe(true);
          expect(tracker.isClosing(id)).toBe(session.closing);
          expect(tracker.ownerOf(id)).toBe(session.owner);
        }
        const waiting = [...model.sessions.values()].filter((session) => !session.closing);
        if (waiting.length === 0) expect(tracker.nextExpiryMs).toBeUndefined();
        else {
          const first = Math.min(...waiting.map((session) => session.notBefore));
          expect(tracker.nextExpiryMs).toBeGreaterThan(first);
          expect(tracker.nextExpiryMs).toBeLessThanOrEqual(first + TICK_MS);
        }
      }
    }),
    { numRuns: 500 },
  );
});

function take(tracker: SessionTracker, model: TrackerModel, { kind, id, timeoutMs }: Step, nowMs: number): void {
  const session = model.sessions.get(id);
  const open = session !== undefined && !session.closing;
  switch (kind) {
    case 'open':
      tracker.open(id, timeoutMs, nowMs);
      if (session === undefined) model.sessions.set(id, { timeoutMs, notBefore: nowMs + timeoutMs, closing: false, owner: undefined });
      else if (open) Object.assign(session, { timeoutMs, notBefore: nowMs + timeoutMs });
      break;
    case 'touch':
      expect(tracker.touch(id, nowMs)).toBe(open);
      if (open) session.notBefore = nowMs + session.timeoutMs;
      break;
    case 'close':
      expect(tracker.close(id)).toBe(model.sessions.delete(id));
      break;
    case 'beginClosing':
      expect(tracker.beginClosing(id)).toBe(open);
      if (open) session.closing = true;
      break;
    case 'setOwner':
      expect(tracker.setOwner(id, timeoutMs)).toBe(open);
      if (open) session.owner = timeoutMs;
      break;
    case 'restart':
      tracker.restart(nowMs);
      for (const one of model.sessions.values()) if (!one.closing) one.notBefore = nowMs + one.timeoutMs;
      break;
    case 'expire': {
      const expired = tracker.expired(nowMs);
      expect(new Set(expired).size).toBe(expired.length);
      for (const one of expired) {
        const gone = model.sessions.get(one);
        expect(gone?.closing).toBe(false);
        expect(gone?.notBefore).toBeLessThan(nowMs);
      }
      for (const [one, other] of model.sessions) {
        if (other.closing) continue;
        if (expired.includes(one)) other.closing = true;
        else expect(other.notBefore + TICK_MS).toBeGreaterThan(nowMs);
      }
    }
  }
}

describe('the buckets of ExpiryQueue', () => {
  test('a time is rounded up to the next multiple of the tick, from a multiple by a whole tick', () => {
    const tracker = new SessionTracker(TICK_MS);
    tracker.open(1n, 400, 0);
    expect(tracker.nextExpiryMs).toBe(500);
    tracker.touch(1n, 50);
    expect(tracker.nextExpiryMs).toBe(500);
    tracker.touch(1n, 100);
    expect(tracker.nextExpiryMs).toBe(600);
  });

  test('the earliest bucket comes first', () => {
    const tracker = new SessionTracker(TICK_MS);
    tracker.open(1n, 900, 0);
    tracker.open(2n, 200, 0);
    tracker.open(3n, 500, 0);
    expect(tracker.expired(199)).toEqual([]);
    expect(tracker.expired(5000)).toEqual([2n, 3n, 1n]);
    expect(tracker.expired(5000)).toEqual([]);
  });

  test('after a stall that outlasted every timeout nobody is expired, because the caller restarts first', () => {
    const tracker = new SessionTracker(TICK_MS);
    for (let id = 1n; id <= 1000n; id++) tracker.open(id, 400, 0);
    tracker.restart(60_000);
    expect(tracker.expired(60_000)).toEqual([]);
    expect(tracker.expired(60_400)).toEqual([]);
    expect(tracker.expired(60_500)).toHaveLength(1000);
  });

  test('a look that comes more than two ticks after the last one gives everybody the full time again, and no other does', () => {
    for (const [pauseMs, expired] of [
      [2 * TICK_MS, [1n]],
      [2 * TICK_MS + 1, []],
    ] as const) {
      const tracker = new SessionTracker(TICK_MS);
      tracker.look(1000);
      tracker.open(1n, 0, 1000);
      tracker.look(1000 + pauseMs);
      expect(tracker.expired(1000 + pauseMs)).toEqual(expired);
    }
  });
});
