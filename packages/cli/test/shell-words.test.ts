import { Ensemble } from 'quorate';
import { describe, expect, test } from 'vitest';
import { complete } from '../src/shell-completion.js';
import { parseAcl } from '../src/shell-text.js';
import { wordsOf } from '../src/shell-words.js';

describe('a line', () => {
  test.each<[string, readonly string[]]>([
    ['', []],
    ['  ls   /a\t', ['ls', '/a']],
    [`set /a "b 'c' d"`, ['set', '/a', "b 'c' d"]],
    [`set /a 'b "c" \\'`, ['set', '/a', 'b "c" \\']],
    [`set /a ""`, ['set', '/a', '']],
    ['set /a b\\ c', ['set', '/a', 'b c']],
    [`set /a x"y z"w`, ['set', '/a', 'xy zw']],
    [`create /long ${'x'.repeat(100_000)}`, ['create', '/long', 'x'.repeat(100_000)]],
  ])('%#: %j', (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });

  test('with a quote that is not closed is refused', () => {
    expect(() => wordsOf('set /a "b')).toThrow('the quote " is not closed');
  });
});

test('an ACL may have colons in its ids', () => {
  expect(parseAcl('world:anyone:cdrwa,digest:bob:hash=:r,ip:::1:w')).toEqual([
    { perms: 31, id: { scheme: 'world', id: 'anyone' } },
    { perms: 1, id: { scheme: 'digest', id: 'bob:hash=' } },
    { perms: 2, id: { scheme: 'ip', id: '::1' } },
  ]);
  expect(parseAcl('world:anyone')).toBe('"world:anyone" must be scheme:id:permissions, like world:anyone:cdrwa');
});

test('TAB knows commands and paths', async () => {
  const ensemble = await Ensemble.start({ servers: 1 });
  const client = await ensemble.connect();
  await client.create('/apple');
  await client.create('/apple/pie');
  await client.create('/avocado');
  expect(await complete(client, 'get')).toEqual([['get ', 'getAcl ', 'getEphemerals ', 'getAllChildrenNumber '], 'get']);
  expect(await complete(client, 'get /a')).toEqual([['/apple', '/avocado'], '/a']);
  expect(await complete(client, 'get /apple/')).toEqual([['/apple/pie'], '/apple/']);
  expect(await complete(client, 'create /x da')).toEqual([[], 'da']);
  await expect(complete(client, 'get /none/')).rejects.toMatchObject({ code: 'NO_NODE' });
  await ensemble.close();
});
