import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowPages } from '../src/row-pages.js';

/** Into the second page. */
const ROWS = 1_100;

test('rows keep their numbers as the first page grows and others follow, and what was frozen keeps its own', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: ROWS }), (frozenAt) => {
      const rows = new RowPages({ longs: 1, ints: 2 });
      let frozen = rows;
      for (let row = 0; row < ROWS; row++) {
        const taken = rows.take();
        rows.setLong(taken, 0, row / 2);
        rows.setInt(taken, 1, row);
        if (row + 1 === frozenAt) frozen = rows.freeze();
      }
      for (let row = 0; row < ROWS; row += 7) rows.setInt(row, 1, 1);
      expect(numbersOf(frozen, frozenAt)).toEqual(Array.from({ length: frozenAt }, (_, row) => [row / 2, row]));
      expect(numbersOf(rows, ROWS)).toEqual(Array.from({ length: ROWS }, (_, row) => [row / 2, row % 7 === 0 ? 1 : row]));
    }),
    { numRuns: 5 },
  );
});

function numbersOf(rows: RowPages, count: number): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, row) => [rows.long(row, 0), rows.int(row, 1)]);
}
