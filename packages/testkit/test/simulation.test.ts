import type { Message } from '@quorate/zab';
import { describe, expect, it } from 'vitest';
import { type Level, type SimulationOptions, type SimulationResult, shrink, simulate } from '../src/index.ts';
import { altered, earlyCompletions, forgetful, lyingOnceUsed } from './support/unfaithful-ports.ts';

/** Short runs: the long ones are `npm run sim`. */
const short = { runMs: 8000 };

function runs(count: number, options: Omit<SimulationOptions, 'seed'>): SimulationResult[] {
  return Array.from({ length: count }, (_, i) => simulate({ ...options, seed: i + 1 }));
}

describe('a simulation', () => {
  it.each<[Level, number, number]>([
    ['zab', 3, 10],
    ['zab', 5, 8],
    ['server', 3, 12],
    ['server', 5, 6],
  ])('at level %s with %i servers: no property fails', (level, servers, count) => {
    for (const { seed, violation } of runs(count, { level, servers, knobs: short }))
      expect({ seed, violation }).toEqual({ seed, violation: undefined });
  });

  it('holds with the shipped store on every disk, and does the same again', () => {
    const knobs = { runMs: 8000, faultEveryMs: 700, logDisks: true };
    const results = runs(6, { level: 'zab', knobs });
    for (const { seed, violation } of results) expect({ seed, violation }).toEqual({ seed, violation: undefined });
    expect(simulate({ seed: 6, level: 'zab', knobs }).traceHash).toBe(results[5]?.traceHash);
  });

  it('does the same again for the same seed, and something else for another', () => {
    for (const level of ['zab', 'server'] as const) {
      const [first, second, other] = [1, 1, 2].map((seed) => simulate({ seed, level, knobs: short }));
      expect(second?.traceHash).toBe(first?.traceHash);
      expect(second?.inputs).toBe(first?.inputs);
      expect(other?.traceHash).not.toBe(first?.traceHash);
    }
  });

  it('is independent of whatever ran before it', () => {
    const before = simulate({ seed: 7, knobs: short }).traceHash;
    simulate({ seed: 8, level: 'zab', knobs: short });
    expect(simulate({ seed: 7, knobs: short }).traceHash).toBe(before);
  });

  it('tells its last events as a message sequence', () => {
    const simulation = simulate({ seed: 1, knobs: short, eventsKept: 20_000 });
    expect(simulation.lastEvents(1000)).toHaveLength(1000);
    const lines = simulation.lastEvents(20_000);
    expect(lines.some((line) => /S\d -> learner \d+ PROPOSAL 0x/.test(line))).toBe(true);
    expect(lines.some((line) => /C\d -> S\d \w+ #\d+/.test(line))).toBe(true);
  });

  it('meets what it is made for', () => {
    const seen = new Map<string, number>();
    for (const { sometimes } of runs(20, { level: 'server', knobs: { runMs: 10_000, faultEveryMs: 1000 } }))
      for (const [condition, count] of sometimes) seen.set(condition, (seen.get(condition) ?? 0) + count);
    for (const condition of [
      'crash of a serving leader',
      'crash with unflushed orders',
      'DIFF sent',
      'TRUNC sent',
      'watch fired',
      'session expired',
    ])
      expect({ condition, count: seen.get(condition) ?? 0 }).not.toEqual({ condition, count: 0 });
  });
});

describe('a component that breaks its contract', () => {
  it('is found out: storage that completes before it has flushed', () => {
    const results = runs(3, { level: 'zab', knobs: short, wrapStorage: (storage, _sid, process) => earlyCompletions(storage, process) });
    for (const { violation } of results) expect(violation?.property).toBe('AckHonesty');
  });

  it.each(['saveAcceptedEpoch', 'saveCurrentEpoch'] as const)('is found out: storage that forgets %s', (order) => {
    const results = runs(3, { level: 'zab', knobs: short, wrapStorage: (storage, _sid, process) => forgetful(storage, process, order) });
    for (const { violation } of results) expect(violation).toBeDefined();
  });

  it('is found out: a network that changes what is in a proposal', () => {
    const change = (message: Message): Message[] =>
      message.type === 'PROPOSAL'
        ? [{ ...message, run: { ...message.run, payloads: message.run.payloads.map(() => new Uint8Array(3)) } }]
        : [message];
    const results = runs(2, { level: 'zab', knobs: short, wrapTransport: (transport) => altered(transport, change) });
    for (const { violation } of results) expect(violation?.property).toBe('Integrity');
  });

  it('does no harm where the protocol sees it: proposals lost in the middle of a channel, or doubled', () => {
    for (let seed = 1; seed <= 8; seed++) {
      let count = 0;
      let ended = false;
      const spoil = (message: Message): Message[] => {
        if (ended || message.type !== 'PROPOSAL' || ++count % 31 !== 0) return [message];
        return count % 2 === 0 ? [] : [message, message];
      };
      const { violation } = simulate({
        ...{ seed, level: 'zab', knobs: { ...short, framed: false } },
        wrapTransport: (transport) => altered(transport, spoil),
        onLiveness: () => {
          ended = true;
        },
      });
      expect({ seed, violation }).toEqual({ seed, violation: undefined });
    }
  });

  it('does no harm in frames: bytes lost, doubled, swapped, flipped, cross-wired, silenced, split wrongly, late', () => {
    const knobs = { ...short, framed: true, spoilPermille: 10 };
    const results = runs(8, { level: 'zab', knobs });
    for (const { seed, violation } of results) expect({ seed, violation }).toEqual({ seed, violation: undefined });
    const found = results.flatMap(({ sometimes }) => sometimes).filter(([condition]) => condition === 'found: CORRUPT_FRAME');
    expect(found).not.toEqual([]);
  });
});

describe('a failure', () => {
  it('is made small: the same property with fewer faults, in less time', () => {
    const failing = (seed: number): SimulationOptions => ({
      ...{ seed, level: 'zab', knobs: { ...short, faultEveryMs: 500, coreOnly: true } },
      wrapStorage: (storage, _sid, process) => lyingOnceUsed(storage, process),
    });
    const isLarge = ({ violation, faults }: SimulationResult): boolean => violation?.property === 'AckHonesty' && faults > 1;
    const seed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].find((one) => isLarge(simulate(failing(one))));
    const options = failing(seed ?? 0);
    const first = simulate(options);
    expect(isLarge(first)).toBe(true);
    const { options: small, result, runs } = shrink(options, first, { runsMax: 50 });
    expect(runs).toBeLessThanOrEqual(50);
    expect(result.violation?.property).toBe('AckHonesty');
    expect(simulate(small).traceHash).toBe(result.traceHash);
    // One crash is enough to have a store that was used.
    expect([result.faults, result.clients]).toEqual([1, 1]);
  });
});
