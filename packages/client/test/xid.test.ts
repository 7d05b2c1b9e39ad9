import { expect, test } from 'vitest';
import { nextXid } from '../src/xid.js';

test('xids are positive int32 and begin again at 1', () => {
  expect([0, 1, 0x7fff_fffe, 0x7fff_ffff].map(nextXid)).toEqual([1, 2, 0x7fff_ffff, 1]);
});
