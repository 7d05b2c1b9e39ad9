import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

// Every CVE of docs/threat-model.md has a test that bears its name.

const root = resolve(import.meta.dirname, '..');
const CVE = /CVE-\d{4}-\d{4,}/g;

/** Those that stand in the name of a test of one of the packages. */
function titled(): Set<string> {
  const files = readdirSync(join(root, 'packages'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /^[^/]+\/test\/.*\.test\.ts$/.test(file))
    .map((file) => readFileSync(join(root, 'packages', file), 'utf8'));
  const titles = files.flatMap((text) => [...text.matchAll(/(?:\bit|\btest)\(\s*(['"`])(.*?)\1|^ *\[\s*'(.*?)',/gm)]);
  return new Set(titles.flatMap(([, , title = '', row = '']) => [...`${title} ${row}`.matchAll(CVE)].map(([name]) => name)));
}

const tested = titled();
const named = [...readFileSync(join(root, 'docs/threat-model.md'), 'utf8').matchAll(/^\| (CVE-\S+) \|/gm)].map(
  ([, name]) => name as string,
);

test('all that ZooKeeper has had are named', () => {
  expect(named).toHaveLength(10);
});

test.each(named)('%s has a test', (name) => {
  expect(tested).toContain(name);
});
