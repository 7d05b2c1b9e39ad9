/** What a client has on top of its calls, against an ensemble: transactions, znodes to follow, typed values. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { type Client, Ensemble, InvalidValueError, type StandardSchema, type Stat } from '../src/index.js';

let ensemble: Ensemble;
let client: Client;

beforeEach(async () => {
  ensemble = await Ensemble.start({ servers: 1, tickTimeMs: 10 });
  client = await ensemble.connect();
});

afterEach(() => ensemble.close());

const text = (data: Uint8Array | undefined) => (data === undefined ? undefined : new TextDecoder().decode(data));

/** A schema of a positive whole number, written by hand; a string of digits is taken for one. */
const count: StandardSchema<number | string, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const number = Number(value);
      return Number.isInteger(number) && number > 0
        ? { value: number }
        : { issues: [{ message: 'must be positive', path: ['n', { key: 0 }] }] };
    },
  },
};

describe('a transaction', () => {
  test('has a result of its own type for each step', async () => {
    await client.create('/a', 'x');
    const begun = client.transaction().check('/a', 0);
    const results = await begun.create('/b', 'y').setData('/a', 'z', 0).delete('/b').commit();
    expectTypeOf(results).toEqualTypeOf<
      [
        { readonly op: 'check' },
        { readonly op: 'create'; readonly path: string },
        { readonly op: 'setData'; readonly stat: Stat },
        { readonly op: 'delete' },
      ]
    >();
    expect(results).toMatchObject([{ op: 'check' }, { op: 'create', path: '/b' }, { stat: { version: 1 } }, { op: 'delete' }]);
    // The beginning is one still, and stands alone.
    await expect(begun.create('/c').commit()).rejects.toMatchObject({ code: 'BAD_VERSION', index: 0, path: '/a' });
    expect(await client.exists('/c')).toBeUndefined();
    expect(await client.transaction().commit()).toEqual([]);
  });
});

describe('a loop over a znode', () => {
  test('is given what is there, then the newest after each change, and ends with the session', async () => {
    const seen: (string | undefined)[] = [];
    let next = (): void => {};
    const loop = (async () => {
      for await (const found of client.watchData('/a')) {
        seen.push(text(found?.data));
        next();
      }
    })();
    const step = (write: () => Promise<unknown>) => {
      const told = new Promise<void>((resolve) => {
        next = resolve;
      });
      return Promise.all([write(), told]);
    };
    await step(async () => {});
    await step(() => client.create('/a', '1'));
    await step(() => client.setData('/a', '2'));
    await step(() => client.delete('/a'));
    await client.close();
    await loop;
    expect(seen).toEqual([undefined, '1', '2', undefined]);
  });

  test('that lags is given the newest alone', async () => {
    await client.create('/a', '0');
    const loop = client.watchData('/a')[Symbol.asyncIterator]();
    await loop.next();
    for (let value = 1; value <= 5; value++) await client.setData('/a', String(value));
    expect(text((await loop.next()).value?.data)).toBe('5');
  });

  test('is left at once, also while it waits', async () => {
    await client.create('/a', '1');
    for (const loop of [client.watchData('/a')[Symbol.asyncIterator](), client.value('/a', count).follow()]) {
      await loop.next();
      const waiting = loop.next();
      expect(await Promise.all([loop.return?.(undefined), waiting])).toEqual([
        { done: true, value: undefined },
        { done: true, value: undefined },
      ]);
    }
  });

  test('is not given again what is the same as before', async () => {
    const loop = client.watchData('/a')[Symbol.asyncIterator]();
    await loop.next();
    await client.create('/a', 'gone');
    await client.delete('/a');
    const next = loop.next();
    for (let turn = 0; turn < 5; turn++) await client.sync();
    await client.create('/a', 'here');
    expect(text((await next).value?.data)).toBe('here');
  });

  test('over children, and over whether there is one', async () => {
    const children = client.watchChildren('/a')[Symbol.asyncIterator]();
    const exists = client.watchExists('/a')[Symbol.asyncIterator]();
    expect([(await children.next()).value, (await exists.next()).value]).toEqual([undefined, undefined]);
    await client.create('/a');
    expect([(await children.next()).value?.children, (await exists.next()).value?.version]).toEqual([[], 0]);
    const nextStat = exists.next();
    await client.create('/a/b');
    expect((await children.next()).value?.children).toEqual(['b']);
    await client.setData('/a', 'x');
    expect((await nextStat).value?.version).toBe(1);
  });

  test('throws the reason of its signal, and what is wrong with its path', async () => {
    const controller = new AbortController();
    const loop = client.watchData('/a', { signal: controller.signal })[Symbol.asyncIterator]();
    await loop.next();
    const next = loop.next();
    controller.abort('enough');
    await expect(next).rejects.toBe('enough');
    expect(() => client.watchData('a')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }));
  });
});

describe('a typed value', () => {
  test('is checked on both ways', async () => {
    const value = client.value('/n', count);
    expect((await value.create('7')).path).toBe('/n');
    expect(await value.get()).toMatchObject({ value: 7, stat: { version: 0 } });
    expect((await value.set(8, { version: 0 })).version).toBe(1);
    const refused = await value.set(-1).catch((error) => error);
    expect(refused).toBeInstanceOf(InvalidValueError);
    expect(refused).toMatchObject({
      code: 'INVALID_VALUE',
      path: '/n',
      message: '/n: n.0: must be positive',
      issues: [{ message: 'must be positive' }],
    });
    expect((await value.get()).value).toBe(8);
    await client.setData('/n', '-3');
    await expect(value.get()).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await client.setData('/n', '{');
    await expect(value.get()).rejects.toMatchObject({ code: 'INVALID_VALUE', issues: [], cause: expect.any(SyntaxError) });
  });

  test('that cannot be written, or that the schema does not answer for, is refused by name', async () => {
    const answering = (answer: (value: unknown) => unknown) =>
      client.value('/n', { '~standard': { version: 1, vendor: 'hand', validate: answer as never } });
    const any = answering((value) => ({ value }));
    for (const value of [undefined, 7n])
      await expect(any.create(value)).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        message: expect.stringMatching(/^\/n: the codec cannot write the value: /),
      });
    await expect(answering(() => undefined).create(1)).rejects.toThrow('/n: the schema must answer { value } or { issues }, not undefined');
    await expect(answering(() => ({ issues: [] })).create(1)).rejects.toMatchObject({ message: '/n: the schema refuses it' });
    await expect(any.update(5 as never)).rejects.toThrow('next must be a function, not 5');
    expect(await client.exists('/n')).toBeUndefined();
  });

  test('loses no update, whoever makes one, and creates what is not there', async () => {
    const others = await Promise.all([ensemble.connect(), ensemble.connect()]);
    const values = [client, ...others].map((one) => one.value('/n', count));
    await Promise.all(values.flatMap((value) => Array.from({ length: 5 }, () => value.update((old = 0) => old + 1))));
    expect((await client.value('/n', count).get()).value).toBe(15);
    await expect(client.value('/n', count).update(() => -1)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });

  test('is followed', async () => {
    const value = client.value('/n', count);
    const loop = value.follow();
    expect((await loop.next()).value).toBeUndefined();
    await value.create(1);
    expect((await loop.next()).value).toMatchObject({ value: 1 });
    await client.setData('/n', '0');
    await expect(loop.next()).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });

  test('has a schema, a codec and a path', () => {
    expect(() => client.value('/n', {} as never)).toThrow(/schema must be one of Standard Schema/);
    expect(() => client.value('/n', count, {} as never)).toThrow(/codec must be \{ encode, decode \}/);
    expect(() => client.value('n', count)).toThrow(/must start with/);
  });
});
