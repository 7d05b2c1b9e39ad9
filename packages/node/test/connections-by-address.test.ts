import { expect, test } from 'vitest';
import { ConnectionsByAddress } from '../src/connections-by-address.js';

const entered = (connections: ConnectionsByAddress, address: string, times: number): number =>
  Array.from({ length: times }, () => connections.enter(address)).filter(Boolean).length;

test('an address of another machine has 60, each its own', () => {
  const connections = new ConnectionsByAddress();
  expect([entered(connections, '10.0.0.1', 70), entered(connections, 'fe80::1', 70)]).toEqual([60, 60]);
  for (let i = 0; i < 60; i++) connections.leave('10.0.0.1');
  expect(entered(connections, '10.0.0.1', 70)).toBe(60);
});

test('addresses of this machine have as many as they like, unless a limit is given', () => {
  expect(['127.0.0.1', '127.8.9.10', '::1'].map((address) => entered(new ConnectionsByAddress(), address, 1_000))).toEqual([
    1_000, 1_000, 1_000,
  ]);
  expect(entered(new ConnectionsByAddress(3), '127.0.0.1', 10)).toBe(3);
});
