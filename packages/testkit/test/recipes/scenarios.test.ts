/** Every recipe on the stage, for a few seeds: the long runs are `npm run test:recipes`. */
import { describe, expect, it } from 'vitest';
import { interrupt, recipeScenarios, rehearse, type Scenario } from '../../src/index.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each(recipeScenarios)('$name', (scenario) => {
  it('holds what it promises under bad weather', async () => {
    for (let seed = 1; seed <= 2; seed++) {
      const { violation } = await rehearse(scenario, { seed, turn });
      expect({ seed, violation }).toEqual({ seed, violation: undefined });
    }
  });

  it('holds it whichever request is interrupted', async () => {
    for await (const { interruption, violation } of interrupt(scenario, { seed: 1, turn, every: 61 }))
      expect({ interruption, violation }).toEqual({ interruption, violation: undefined });
  });
});

describe('a rehearsal', () => {
  const scenario = recipeScenarios[0] as Scenario;

  it('does the same again for the same seed, and something else for another', async () => {
    const hashes: string[] = [];
    for (const seed of [1, 1, 2]) hashes.push((await rehearse(scenario, { seed, turn })).traceHash);
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  it('fails where a part fails, hangs, or says so', async () => {
    const failing = (play: Scenario['play']) => rehearse({ name: 'failing', play }, { seed: 1, turn, runMs: 500, calm: true });
    const thrown = await failing((stage) => stage.cast('a', () => Promise.reject(new Error('mine'))));
    expect(thrown.violation).toMatchObject({ property: 'UnexpectedException', message: expect.stringContaining('mine') });
    const hanging = await failing((stage) => stage.cast('a', () => new Promise(() => {})));
    expect(hanging.violation).toMatchObject({ property: 'Progress', message: expect.stringContaining('a#1') });
    const saying = await failing((stage) => stage.cast('a', async () => stage.fail('Mine', 'no')));
    expect(saying.violation).toEqual({ property: 'Mine', message: 'no' });
  });

  it('plays a part again where its session has ended, until it returns', async () => {
    const lives: string[] = [];
    const play: Scenario['play'] = (stage) =>
      stage.cast('a', async ({ id, client }) => {
        lives.push(id);
        await client.create(`/${stage.now()}`);
      });
    const interruption = { part: 'a', request: 1, fate: 'lose request', expires: true } as const;
    const { violation } = await rehearse({ name: 'lives', play }, { seed: 1, turn, calm: true, interruption });
    expect(violation?.message).toContain('CONNECTION_LOSS');
    const patient: Scenario['play'] = (stage) =>
      stage.cast('a', async ({ id, client }) => {
        lives.push(id);
        await client.create('/a').catch(() => client.sync());
      });
    const again = await rehearse({ name: 'lives', play: patient }, { seed: 1, turn, calm: true, interruption });
    expect(again.violation).toBeUndefined();
    expect(lives).toEqual(['a#1', 'a#1', 'a#2']);
  });
});
