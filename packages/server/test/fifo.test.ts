import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../src/fifo.js';

test('a queue does what an array does, through bursts, running empty and clearing', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), count: fc.integer({ min: 1, max: 3_000 }) }) },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 4_000 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), count: fc.constant(1) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const fifo = new Fifo<number>();
      const twin: number[] = [];
      let next = 0;
      for (const { kind, count } of steps) {
        for (let i = 0; i < count; i++) {
          if (kind === 'push') {
            fifo.push(next);
            twin.push(next++);
          } else if (kind === 'shift') {
            expect(fifo.shift()).toBe(twin.shift());
          } else {
            fifo.clear();
            twin.length = 0;
          }
          if (fifo.length !== twin.length || fifo.peek() !== twin[0]) expect([fifo.length, fifo.peek()]).toEqual([twin.length, twin[0]]);
        }
        expect([...fifo]).toEqual(twin);
      }
    }),
    { numRuns: 50 },
  );
});
