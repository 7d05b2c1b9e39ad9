import { expect, test } from 'vitest';
import { newestLeader } from '../src/newest-leader.js';

const place = (state: 'LEADING' | 'FOLLOWING', epoch: number, serving = true) => ({
  status: { state, leader: 1, epoch, serving, votes: true },
});

test('the leader of the newest epoch counts, and none that does not serve', () => {
  const old = place('LEADING', 3);
  const newer = place('LEADING', 4);
  expect(newestLeader([old, place('FOLLOWING', 9), newer, place('LEADING', 5, false)])).toBe(newer);
  expect(newestLeader([newer, old])).toBe(newer);
  expect(newestLeader([place('FOLLOWING', 1), place('LEADING', 2, false)])).toBeUndefined();
});
