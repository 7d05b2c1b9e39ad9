import fc from 'fast-check';
import { expect, test } from 'vitest';
import { baseNameOf, isZooKeeperError, joinPath, parentOf, pathFault, validatePath } from '../src/index.js';
import { run } from './arbitraries.js';

test.each([
  '/',
  '/a',
  '/a/b',
  '/a.b',
  '/a/.b',
  '/a/b.',
  '/...',
  '/..a',
  '/a..',
  '/a/...',
  '/a b',
  '/ ',
  '/~!@#$%^&*()',
  '/é',
  '/日本',
  '/\u00a0',
  '/\ud7ff',
  '/\uf900',
  '/\uffef',
  '/\u200b',
])('%j is a path', (path) => {
  expect(pathFault(path)).toBeUndefined();
  expect(pathFault(path, { sequential: true })).toBeUndefined();
});

test.each([
  ['', 'must not be empty'],
  ['a', 'must start with /'],
  ['a/b', 'must start with /'],
  ['./a', 'must start with /'],
  ['/a/', 'must not end with /'],
  ['//', 'must not end with /'],
  ['//a', 'component at index 1 must not be empty'],
  ['/a//b', 'component at index 3 must not be empty'],
  ['/.', 'component at index 1 must not be . or ..'],
  ['/..', 'component at index 1 must not be . or ..'],
  ['/./a', 'component at index 1 must not be . or ..'],
  ['/a/../b', 'component at index 3 must not be . or ..'],
  ['/a/..', 'component at index 3 must not be . or ..'],
  ['/a/.', 'component at index 3 must not be . or ..'],
  ['/\u0000', 'U+0000 at index 1'],
  ['/a\u0001', 'U+0001 at index 2'],
  ['/\n', 'U+000A at index 1'],
  ['/\u001f', 'U+001F at index 1'],
  ['/\u007f', 'U+007F at index 1'],
  ['/\u009f', 'U+009F at index 1'],
  ['/\ud800', 'U+D800 at index 1'],
  ['/\u{1f600}', 'U+D83D at index 1'],
  ['/\ue000', 'U+E000 at index 1'],
  ['/\uf8ff', 'U+F8FF at index 1'],
  ['/\ufff0', 'U+FFF0 at index 1'],
  ['/\uffff', 'U+FFFF at index 1'],
])('%j breaks the rule: %s', (path, rule) => {
  expect(pathFault(path)).toContain(rule);
});

test('the number of a sequential znode makes any last component good, and no other', () => {
  for (const path of ['/', '/a/', '/.', '/..', '/a/.', '/a/..']) expect(pathFault(path, { sequential: true })).toBeUndefined();
  for (const path of ['', 'a', '//', '/a//', '/./', '/../a', '/a\u0000']) expect(pathFault(path, { sequential: true })).toBeDefined();
});

/** The rules as the documentation has them, with no thought of speed. */
function isGood(path: string): boolean {
  if (path === '/') return true;
  const components = path.split('/');
  if (components.shift() !== '') return false;
  return (
    components.length > 0 &&
    components.every((name) => name !== '' && name !== '.' && name !== '..' && !/[\0-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff]/.test(name))
  );
}

test('the rules agree with their definition', () => {
  const path = fc.oneof(
    fc.array(fc.constantFrom('/', '.', 'a', '\u0000', '\u0085'), { maxLength: 8 }).map((parts) => parts.join('')),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }).map((text) => `/${text}`),
  );
  fc.assert(
    fc.property(path, (value) => {
      expect(pathFault(value) === undefined).toBe(isGood(value));
      expect(pathFault(value, { sequential: true }) === undefined).toBe(isGood(`${value}1`));
    }),
    { ...run, numRuns: 3000 },
  );
});

test('a bad path is BAD_ARGUMENTS and the message says which rule', () => {
  const fault = (() => {
    try {
      validatePath('/a/');
    } catch (error) {
      return error;
    }
    return undefined;
  })();
  expect(isZooKeeperError(fault, 'BAD_ARGUMENTS')).toBe(true);
  expect(fault).toMatchObject({ path: '/a/', message: '"/a/": a path must not end with /' });
  expect(() => validatePath('/a/', { sequential: true })).not.toThrow();
});

test('parent and base name take a path apart, joinPath puts it together', () => {
  expect(['/', '/a', '/a/b', '/a/b/c'].map(parentOf)).toEqual(['/', '/', '/a', '/a/b']);
  expect(['/', '/a', '/a/b', '/a/'].map(baseNameOf)).toEqual(['', 'a', 'b', '']);
  expect(['', 'a'].map(parentOf)).toEqual(['/', '/']);
  for (const path of ['/a', '/a/b', '/a/b/c']) expect(joinPath(parentOf(path), baseNameOf(path))).toBe(path);
});
