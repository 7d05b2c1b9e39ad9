import { type Acl, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from '@quorate/protocol';
import { expect, test } from 'vitest';
import { AclCache, OPEN_ACL } from '../src/acl-cache.js';
import { EphemeralIndex } from '../src/ephemeral-index.js';
import type { NodeHandle } from '../src/znode-pages.js';

const digest = (scheme: string, id: string): Acl[] => [{ perms: 3, id: { scheme, id } }];

test('a list is kept once, goes with its last user, and its number is used again', () => {
  const cache = new AclCache();
  const first = cache.acquire(digest('digest', 'a'));
  expect(cache.acquire(digest('digest', 'a'))).toBe(first);
  expect(cache.acquire(READ_ACL_UNSAFE)).not.toBe(first);
  cache.release(first);
  expect(cache.get(first)).toEqual(digest('digest', 'a'));
  cache.release(first);
  expect(() => cache.get(first)).toThrow('in the cache');
  expect(cache.acquire(digest('digest', 'b'))).toBe(first);
  expect(cache.snapshot().filter((acl) => acl !== undefined)).toHaveLength(cache.size);
});

test('OPEN_ACL_UNSAFE is always there, whoever made the list', () => {
  const cache = new AclCache();
  expect(cache.acquire([{ perms: 31, id: { scheme: 'world', id: 'anyone' } }])).toBe(OPEN_ACL);
  cache.release(OPEN_ACL);
  expect(cache.get(OPEN_ACL)).toEqual(OPEN_ACL_UNSAFE);
});

test('lists whose parts run together are told apart', () => {
  const cache = new AclCache();
  const lists = [digest('a', 'b0,'), digest('a3,b', ''), [...digest('a', ''), ...digest('', 'a')], digest('a', '3,0,1,a'), []];
  expect(new Set(lists.map((list) => cache.acquire(list))).size).toBe(lists.length);
});

test('a list that its maker changes afterwards stays as it was', () => {
  const cache = new AclCache();
  const list = digest('digest', 'a');
  const number = cache.acquire(list);
  list.pop();
  expect(cache.get(number)).toEqual(digest('digest', 'a'));
});

test('a session goes with its last ephemeral, and its number is used again', () => {
  const index = new EphemeralIndex();
  const number = index.add(-5n, 7 as NodeHandle);
  expect(index.add(-5n, 8 as NodeHandle)).toBe(number);
  expect(index.ownerOf(number)).toBe(-5n);
  index.remove(number, 7 as NodeHandle);
  expect([...(index.nodesOf(-5n) ?? [])]).toEqual([8]);
  index.remove(number, 8 as NodeHandle);
  expect(index.nodesOf(-5n)).toBeUndefined();
  expect(index.add(6n, 9 as NodeHandle)).toBe(number);
});
