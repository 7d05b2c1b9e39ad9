/** What counters, shared values and configurations promise that needs no weather. */
import { Counter, SharedValue, VersionedConfig } from '@quorate/recipes';
import { CREATOR_ALL_ACL, type StandardSchema } from 'quorate';
import { describe, expect, it } from 'vitest';
import { virtualEnsemble } from './virtual-ensemble.js';

const place = virtualEnsemble();

/** As libraries make them: numbers below a bound, and says why not. */
const small: StandardSchema<unknown, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'number' && value < 100
        ? { value }
        : { issues: [{ message: 'not a number below 100', path: ['limit', { key: 0 }] }] },
  },
};

describe('a counter', () => {
  it('counts, from 0', async () => {
    const counter = new Counter(place.client, '/c');
    expect(await place.settled(counter.get())).toBe(0);
    expect(await place.settled(Promise.all([1, 2, 3].map((amount) => counter.add(amount))))).toEqual([1, 3, 6]);
    expect(await place.settled(counter.compareAndSet(5, 9))).toBe(false);
    expect(await place.settled(counter.compareAndSet(6, -9))).toBe(true);
    expect(await place.settled(counter.get())).toBe(-9);
  });

  it('refuses what is no whole number, before or after', async () => {
    const counter = new Counter(place.client, '/c');
    await expect(counter.add(0.5)).rejects.toThrow(TypeError);
    await place.settled(counter.add(Number.MAX_SAFE_INTEGER));
    await expect(place.settled(counter.add(1))).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await place.settled(place.client.setData('/c', 'many'));
    await expect(place.settled(counter.add(1))).rejects.toMatchObject({ code: 'INVALID_DATA', message: expect.stringContaining('"many"') });
  });
});

describe('a shared value', () => {
  it('is read, replaced, changed and followed', async () => {
    const value = new SharedValue<number>(place.client, '/v', { schema: small });
    expect(await place.settled(value.get())).toBeUndefined();
    const following = value.follow();
    const first = following.next();
    expect(await place.settled(value.set(1))).toBe(1);
    expect((await place.settled(first)).value).toEqual({ value: 1, version: 1 });
    expect(await place.settled(value.update((now) => (now ?? 0) + 1))).toEqual({ value: 2, version: 2 });
    expect(await place.settled(value.compareAndSet(1, 9))).toBe(false);
    expect(await place.settled(value.compareAndSet(2, 3))).toBe(true);
    // What was in between is left out.
    expect((await place.settled(following.next())).value).toEqual({ value: 3, version: 3 });
  });

  it('is read and followed from what had been written before the call, also at a server that lags', async () => {
    const written = new SharedValue<number>(place.client, '/v');
    await place.settled(written.set(1));
    const old = await place.settled(place.client.getData('/v'));
    await place.settled(written.set(2));
    // The server of this client has not heard of the second one, until it is asked to catch up.
    let lags = true;
    const lagging = new Proxy(place.client, {
      get: (target, name) => {
        if (name === 'getData' && lags) return () => Promise.resolve(old);
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'sync') lags = false;
          return value.apply(target, args);
        };
      },
    });
    const value = new SharedValue<number>(lagging, '/v');
    expect((await place.settled(value.follow().next())).value).toEqual({ value: 2, version: 2 });
    lags = true;
    expect(await place.settled(value.get())).toEqual({ value: 2, version: 2 });
  });

  it('does not let pass what its schema does not', async () => {
    const value = new SharedValue<number>(place.client, '/v', { schema: small });
    const refusal = { code: 'INVALID_DATA', message: expect.stringContaining('limit.0: not a number below 100') };
    await expect(value.set(100)).rejects.toMatchObject(refusal);
    await place.settled(place.client.create('/v', '100'));
    await expect(place.settled(value.get())).rejects.toMatchObject(refusal);
    await place.settled(place.client.setData('/v', 'no JSON'));
    await expect(place.settled(value.get())).rejects.toMatchObject({ code: 'INVALID_DATA' });
    await expect(new SharedValue<unknown>(place.client, '/w').set(undefined)).rejects.toThrow(TypeError);
  });
});

describe('a configuration', () => {
  it('keeps its versions and goes back to them', async () => {
    const config = new VersionedConfig<number>(place.client, '/config', { schema: small, versionsKept: 3 });
    for (const value of [10, 20, 30, 40]) await place.settled(config.publish(value));
    expect((await place.settled(config.history())).map(({ version }) => version)).toEqual([2, 3, 4]);
    expect(await place.settled(config.rollBack(2))).toBe(5);
    expect(await place.settled(config.get())).toEqual({ value: 20, version: 5 });
    await expect(place.settled(config.rollBack(1))).rejects.toMatchObject({ code: 'NOT_KEPT' });
    await expect(place.settled(config.publish(50, { after: 4 }))).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(config.publish(100)).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });

  it('is followed past a version that somebody else has written wrong', async () => {
    const config = new VersionedConfig<number>(place.client, '/config', { schema: small });
    await place.settled(config.publish(1));
    const wrong: string[] = [];
    const following = config.follow({ onInvalid: (error) => wrong.push(error.code) });
    expect((await place.settled(following.next())).value?.value).toBe(1);
    const next = following.next();
    await place.settled(place.client.setData('/config', '"x"'));
    await place.settled(place.client.sync());
    await place.settled(config.publish(2));
    expect((await place.settled(next)).value?.value).toBe(2);
    expect(wrong).toEqual(['INVALID_DATA']);
  });

  it('keeps secrets from those whom the ACL does not name, in its history too', async () => {
    await place.settled(place.client.addAuth('digest', 'app:secret'));
    const options = { acl: CREATOR_ALL_ACL };
    await place.settled(new VersionedConfig(place.client, '/secrets', options).publish({ password: 'x' }));
    const other = await place.settled(place.ensemble.connect());
    await expect(place.settled(new VersionedConfig(other, '/secrets').get())).rejects.toMatchObject({ code: 'NO_AUTH' });
    await expect(place.settled(other.getData('/secrets/history/0000000001'))).rejects.toMatchObject({ code: 'NO_AUTH' });
  });
});
