import { VirtualClock } from '@quorate/ports';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('tasks run in the order of a sorted list of (due, order of setting), and time stands where each is due', () => {
  const delays = fc.array(fc.record({ delayMs: fc.nat(20), cancel: fc.boolean(), child: fc.option(fc.nat(5)) }), { maxLength: 60 });
  fc.assert(
    fc.property(delays, (plan) => {
      const clock = new VirtualClock();
      const ran: { name: string; at: number }[] = [];
      const expected: { name: string; due: number; order: number }[] = [];
      plan.forEach(({ delayMs, cancel, child }, index) => {
        const timer = clock.setTimer(delayMs, () => {
          ran.push({ name: `${index}`, at: clock.now() });
          if (child !== null) clock.setTimer(child, () => ran.push({ name: `${index}.`, at: clock.now() }));
        });
        if (cancel) timer.cancel();
        else expected.push({ name: `${index}`, due: delayMs, order: index });
      });
      clock.advance(100);
      expected.sort((a, b) => a.due - b.due || a.order - b.order);
      expect(ran.filter(({ name }) => !name.endsWith('.'))).toEqual(expected.map(({ name, due }) => ({ name, at: due })));
      const children = plan.filter(({ cancel, child }) => !cancel && child !== null);
      expect(ran.filter(({ name }) => name.endsWith('.'))).toHaveLength(children.length);
      for (const { name, at } of ran) {
        const { delayMs, child } = plan[Number.parseInt(name, 10)] as (typeof plan)[number];
        expect(at).toBe(name.endsWith('.') ? delayMs + (child ?? 0) : delayMs);
      }
    }),
  );
});

test('deferred tasks run before any timer, in order, those deferred meanwhile last', () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  clock.setTimer(0, () => ran.push('timer'));
  clock.defer(() => {
    ran.push('first');
    clock.defer(() => ran.push('third'));
  });
  clock.defer(() => ran.push('second'));
  expect(clock.nextDue()).toBe(0);
  clock.advance(0);
  expect(ran).toEqual(['first', 'second', 'third', 'timer']);
  expect(clock.nextDue()).toBeUndefined();
});

test('advance ends where it was told, and a timer beyond that waits', () => {
  const clock = new VirtualClock(1_000);
  let fired = false;
  clock.setTimer(10, () => {
    fired = true;
  });
  clock.advance(9.5);
  expect([fired, clock.now(), clock.wallNow()]).toEqual([false, 9.5, 1_009]);
  expect(clock.step(9.9)).toBe(false);
  expect(clock.step()).toBe(true);
  expect([fired, clock.now()]).toEqual([true, 10]);
});

test('a timer that was cancelled is not due', () => {
  const clock = new VirtualClock();
  clock.setTimer(5, () => {}).cancel();
  expect(clock.nextDue()).toBeUndefined();
  expect(clock.step()).toBe(false);
});
