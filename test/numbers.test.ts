import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Check, checks } from '../scripts/numbers/checks.ts';
import { withTables } from '../scripts/numbers/tables.ts';

// The short form of `npm run check:numbers`.
test('each formula of docs/model.md agrees with what is simulated or counted', async () => {
  const all: Check[] = [];
  for await (const check of checks(0.05)) all.push(check);
  expect(all.length).toBeGreaterThan(40);
  expect(all.filter(({ agrees }) => !agrees)).toEqual([]);
});

test('the tables of docs/model.md are what the formulas give: npm run check:numbers -- --tables', () => {
  const page = readFileSync(new URL('../docs/model.md', import.meta.url), 'utf8');
  expect(withTables(page)).toBe(page);
});
