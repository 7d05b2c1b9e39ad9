/** One program that moves from the in-process ensemble to servers over TCP by its connection string alone. */
import { Ensemble } from 'quorate';
import { describe, expect, test } from 'vitest';
import { listen, openEnsemble } from '../src/index.js';

/** The program. */
async function count(at: string): Promise<string> {
  await using place = await openEnsemble(at);
  const client = await place.connect();
  await client.create('/counter', '41');
  const other = await place.connect();
  const { data, stat } = await other.getData('/counter');
  await other.setData('/counter', String(Number(new TextDecoder().decode(data)) + 1), { version: stat.version });
  await client.sync();
  return new TextDecoder().decode((await client.getData('/counter')).data);
}

describe('a place', () => {
  test('within the process, with and without a chroot, twice', async () => {
    for (const at of ['memory:1', 'memory:3', 'memory:1/deep/app', 'memory:1/deep/app']) expect(await count(at), at).toBe('42');
  });

  test('behind a port, where the chroot is made', async () => {
    await using ensemble = await Ensemble.start({ servers: 1 });
    const listener = await listen(ensemble, { port: 0 });
    expect(await count(`${listener.address}/deep/app`)).toBe('42');
    const client = await ensemble.connect({ chroot: '/deep' });
    expect((await client.getData('/app/counter')).stat.version).toBe(1);
    await listener.close();
  });

  test('ends its clients and its ensemble', async () => {
    const place = await openEnsemble('memory:1');
    const client = await place.connect();
    await place.close();
    expect(client.state).toBe('CLOSED');
    await expect(place.connect()).rejects.toMatchObject({
      code: 'CLOSED',
      message: expect.stringContaining('open another one by openEnsemble'),
    });
    await expect(place.ensemble?.connect()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test.each([
    ['memory', /"memory" must be memory:N, or memory:N\/app, with N from 1 to/],
    ['memory:0', /must be memory:N/],
    ['memory:x', /must be memory:N/],
    ['memory:3app', /must be memory:N/],
    ['memory:3/app/', /must not end with \//],
    ['host:', /a port is a number/],
    [undefined, /hosts must be a string like/],
  ])('is not %j', async (at, message) => {
    await expect(openEnsemble(at as string)).rejects.toThrow(message);
  });
});
