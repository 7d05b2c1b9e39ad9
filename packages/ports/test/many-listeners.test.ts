import { expect, test } from 'vitest';
import { allowManyListeners } from '../src/index.js';

test('a signal with many listeners is not warned of', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on('warning', note);
  const [quiet, plain] = [new AbortController().signal, new AbortController().signal];
  allowManyListeners(quiet);
  for (const signal of [quiet, plain]) for (let count = 0; count < 20; count++) signal.addEventListener('abort', () => {});
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  // Without the permission there is a warning, or this test would say nothing.
  expect(warnings).toHaveLength(1);
});
