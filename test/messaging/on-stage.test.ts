/** Messaging on the stage, for a seed and a few interruptions: the long runs are `npm run test:recipes -- --only messaging`. */
import { interrupt, rehearse } from '@quorate/testkit';
import { expect, test } from 'vitest';
import { messagingScenario } from '../../scripts/recipes/messaging/messaging-scenario.ts';
import { turn } from '../../scripts/recipes/turn.ts';

test('messaging holds what it promises under bad weather', async () => {
  const { violation } = await rehearse(messagingScenario, { seed: 2, turn });
  expect(violation).toBeUndefined();
});

test('messaging holds it whichever request is interrupted', async () => {
  for await (const { interruption, violation } of interrupt(messagingScenario, { seed: 1, turn, every: 6_007 }))
    expect({ interruption, violation }).toEqual({ interruption, violation: undefined });
});
