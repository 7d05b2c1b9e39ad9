/**
 * Rows of numbers in pages of 1,024: so many float64s and so many int32s to a row. A row is no object, and a million of them are a thousand things to
 * the garbage collector's eye; a page never moves, so growth copies nothing and makes no pause. The first page alone begins small and doubles, so that
 * a small tree takes little.
 *
 * `freeze` gives the rows as they are at that moment, for a snapshot that is written while more is changed: both share their pages, and whoever is to
 * change a shared page changes a copy (84 KiB, some ten microseconds, once per page and freeze). What is frozen needs no end: it goes with
 * whoever holds it.
 */
import { assert } from '@quorate/protocol';

/** Stands for "no row" wherever the number of a row is kept. */
export const NO_ROW = -1;

const ROW_BITS = 10;
const ROWS = 1 << ROW_BITS;
const ROW_MASK = ROWS - 1;

/** What the first page begins with. */
const FIRST_ROWS = 32;

/** More rows than this cannot be told apart in an int32. */
const ROWS_MAX = 2 ** 31 - ROWS;

/** How many numbers a row has. */
export interface RowShape {
  readonly longs: number;
  readonly ints: number;
}

/** The numbers of 1,024 rows, or of the first few, those of one row behind those of another. To be changed by `RowPages` alone. */
export class Page {
  readonly longs: Float64Array;
  readonly ints: Int32Array;
  /** Whether somebody else reads it, so that it must never change again. */
  shared = false;

  constructor({ longs, ints }: RowShape, rows: number) {
    const buffer = new ArrayBuffer(rows * (longs * 8 + ints * 4));
    this.longs = new Float64Array(buffer, 0, rows * longs);
    this.ints = new Int32Array(buffer, rows * longs * 8);
  }
}

export class RowPages {
  /** Rows in use. */
  count = 0;
  private pages: Page[] = [];
  /** Rows that were ever in use; the next fresh one. Invariant: count <= used. */
  private used = 0;
  /** Free rows form a list through their first int. */
  private firstFree = NO_ROW;
  private readonly shape: RowShape;
  private readonly longsPerRow: number;
  private readonly intsPerRow: number;

  constructor(shape: RowShape) {
    this.shape = shape;
    this.longsPerRow = shape.longs;
    this.intsPerRow = shape.ints;
  }

  /** A row with every number zero. */
  take(): number {
    this.count++;
    const row = this.firstFree;
    if (row === NO_ROW) return this.takeFresh();
    this.firstFree = this.int(row, 0);
    const { longs, ints } = this.pageToChange(row);
    const inPage = row & ROW_MASK;
    for (let at = inPage * this.longsPerRow, end = at + this.longsPerRow; at < end; at++) longs[at] = 0;
    for (let at = inPage * this.intsPerRow, end = at + this.intsPerRow; at < end; at++) ints[at] = 0;
    return row;
  }

  /** Gives a row back. */
  release(row: number): void {
    this.setInt(row, 0, this.firstFree);
    this.firstFree = row;
    this.count--;
  }

  /** Whether there ever was such a row. */
  has(row: number): boolean {
    return row >= 0 && row < this.used;
  }

  long(row: number, field: number): number {
    return (this.pages[row >>> ROW_BITS] as Page).longs[(row & ROW_MASK) * this.longsPerRow + field] as number;
  }

  setLong(row: number, field: number, value: number): void {
    this.pageToChange(row).longs[(row & ROW_MASK) * this.longsPerRow + field] = value;
  }

  int(row: number, field: number): number {
    return (this.pages[row >>> ROW_BITS] as Page).ints[(row & ROW_MASK) * this.intsPerRow + field] as number;
  }

  setInt(row: number, field: number, value: number): void {
    this.pageToChange(row).ints[(row & ROW_MASK) * this.intsPerRow + field] = value;
  }

  /** The page of a row, for whoever reads many of its numbers. */
  page(row: number): Page {
    return this.pages[row >>> ROW_BITS] as Page;
  }

  /** Which row of its page a row is. */
  inPage(row: number): number {
    return row & ROW_MASK;
  }

  /** The rows as they are now, to be read only. It takes time in proportion to the pages. */
  freeze(): RowPages {
    for (const page of this.pages) page.shared = true;
    const frozen = new RowPages(this.shape);
    frozen.count = this.count;
    frozen.used = this.used;
    frozen.pages = this.pages.slice();
    return frozen;
  }

  private takeFresh(): number {
    assert(this.used < ROWS_MAX, 'a tree holds less than 2^31 znodes');
    const row = this.used++;
    const number = row >>> ROW_BITS;
    if (number === this.pages.length) this.pages.push(new Page(this.shape, number === 0 ? FIRST_ROWS : ROWS));
    else if (number === 0 && row === this.rowsOf(0)) this.copyPage(0, row * 2);
    return row;
  }

  private pageToChange(row: number): Page {
    const page = this.pages[row >>> ROW_BITS] as Page;
    return page.shared ? this.copyPage(row >>> ROW_BITS, this.rowsOf(row >>> ROW_BITS)) : page;
  }

  private rowsOf(number: number): number {
    return (this.pages[number] as Page).ints.length / this.intsPerRow;
  }

  /** Puts a page of so many rows in the place of one, with the same numbers. */
  private copyPage(number: number, rows: number): Page {
    const { longs, ints } = this.pages[number] as Page;
    const copy = new Page(this.shape, rows);
    copy.longs.set(longs);
    copy.ints.set(ints);
    this.pages[number] = copy;
    return copy;
  }
}
