import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { isBeyond, openFilesMax, openForClients } from '../src/open-files.js';

test.runIf(process.platform === 'linux')('the system’s limit is what the shell says', () => {
  const said = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  expect(openFilesMax()).toBe(said === 'unlimited' ? Number.POSITIVE_INFINITY : Number(said));
});

test('clients leave 256, or a quarter, or there is no limit', () => {
  expect([20_000, 1_024, 100, Number.POSITIVE_INFINITY].map(openForClients)).toEqual([19_744, 768, 75, Number.POSITIVE_INFINITY]);
});

test('sockets have numbers that go up with how many there are', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted: Socket[] = [];
  const clients: Socket[] = [];
  for (let i = 0; i < 10; i++) {
    clients.push(connect((server.address() as AddressInfo).port, '127.0.0.1'));
    accepted.push((await once(server, 'connection'))[0] as Socket);
  }
  const within = (numbers: number): number => accepted.filter((socket) => !isBeyond(socket, numbers)).length;
  expect([within(0), within(1_000_000)]).toEqual([0, 10]);
  const counts = Array.from({ length: 2_000 }, (_, numbers) => within(numbers));
  expect(counts.every((count, numbers) => count >= (counts[numbers - 1] ?? 0))).toBe(true);
  expect(new Set(counts).size).toBe(11);
  for (const socket of clients) socket.destroy();
  server.close();
});
