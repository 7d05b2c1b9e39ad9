import { expect, test } from 'vitest';
import { MUTANTS } from '../scripts/mutants/catalogue.ts';
import { checkThatAllFit } from '../scripts/mutants/patch.ts';

test('every mutant fits the source: what it changes stands there exactly once', () => {
  expect(() => checkThatAllFit(MUTANTS)).not.toThrow();
});

test('mutants have names of their own', () => {
  expect(new Set(MUTANTS.map(({ id }) => id)).size).toBe(MUTANTS.length);
});
