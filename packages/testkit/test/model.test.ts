import { type Exploration, explore, type Scope } from '@quorate/testkit';
import { Peer } from '@quorate/zab';
import { afterEach, expect, test, vi } from 'vitest';

const NONE = { timeouts: 0, cuts: 0, wipes: 0, beats: 0, handOvers: 0 };
const TINY: Scope = { ...NONE, servers: 2, txns: 1, crashes: 1, elections: 3, from: 'elected', orders: 'one' };

const run = (scope: Scope, order: 'breadth' | 'depth' = 'breadth', statesMax = 100_000): Exploration =>
  explore({ scope, order, statesMax });

afterEach(() => {
  vi.restoreAllMocks();
});

test.each<[string, Scope]>([
  ['from after an election', TINY],
  ['from the start', { ...TINY, from: 'start' }],
  ['with a timeout', { ...TINY, crashes: 0, timeouts: 1 }],
  ['with a cut', { ...TINY, crashes: 0, cuts: 1 }],
])('every property holds %s, and breadth-first and depth-first find the same worlds', (_, scope) => {
  const breadth = run(scope);
  const depth = run(scope, 'depth');
  for (const found of [breadth, depth]) expect(found).toMatchObject({ exhausted: true, violation: undefined });
  const counts = ({ states, transitions, bounded, ends, happened }: Exploration) => [states, transitions, bounded, ends, new Map(happened)];
  expect(counts(depth)).toEqual(counts(breadth));
  expect(breadth.states).toBeGreaterThan(300);
  expect(breadth.depth).toBeLessThanOrEqual(depth.depth);
});

test('what has to happen happens', () => {
  const { happened } = run({ ...TINY, txns: 2 });
  for (const kind of ['DIFF', 'PROPOSAL', 'COMMIT', 'NEWLEADER', 'ACK', 'UPTODATE', 'crash', 'restart', 'complete', 'close'])
    expect([kind, happened.get(kind) ?? 0]).not.toEqual([kind, 0]);
});

test('a search that has seen enough says that it is not exhausted', () => {
  expect(run(TINY, 'breadth', 100)).toMatchObject({ exhausted: false, violation: undefined });
  expect(run(TINY, 'depth', 100)).toMatchObject({ exhausted: false, violation: undefined });
});

test.each(['breadth', 'depth'] as const)(
  'a server that delivers what it has not flushed is found out, %s-first, and the way there is told',
  (order) => {
    vi.spyOn(Peer.prototype, 'deliver').mockImplementation(function (this: Peer) {
      const { state } = this;
      for (const part of state.log.runs(state.lastDelivered, state.lastCommitted)) this.effects.push({ type: 'deliver', run: part });
      state.lastDelivered = state.lastCommitted;
    });
    // Three servers: a leader commits by the word of two others while its own disk is slow.
    const { violation } = run({ ...TINY, servers: 3, crashes: 0 }, order);
    expect(violation?.property).toBe('AppliedDurable');
    expect(violation?.trace.length).toBeGreaterThan(violation?.depth ?? 0);
    expect(violation?.trace.some((line) => /^S\d proposes$/.test(line))).toBe(true);
    expect(violation?.trace.at(-1)).toMatch(/^S\d → S\d ACK 1\.1$/);
  },
);

test('a server that promises nothing durable is found out', () => {
  vi.spyOn(Peer.prototype, 'saveAcceptedEpoch').mockImplementation(function (this: Peer, epoch: number) {
    this.state.acceptedEpoch = epoch;
    this.state.durable.acceptedEpoch = epoch;
  });
  expect(run(TINY).violation?.property).toBe('PromiseHonesty');
});
