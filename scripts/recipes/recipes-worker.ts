/** A child of `recipes.ts`: it is sent orders, plays them, and sends back what came of each. */
import { interrupt, rehearse, type Scenario, tellInterruption } from '@quorate/testkit';
import { allScenarios, strideOf } from './scenarios.ts';
import { turn } from './turn.ts';

/** What a child is asked to play: seeds, or all interruptions of one seed. */
export interface PlayOrder {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly interruptSeed: number | undefined;
  readonly every: number;
}

/** What came of one play. */
export interface PlayOutcome {
  readonly name: string;
  /** The seed, or the seed and the interruption, for people. */
  readonly which: string;
  readonly violation: { readonly property: string; readonly message: string } | undefined;
  readonly interrupted: boolean;
  readonly virtualMs: number;
  readonly faults: number;
  readonly sometimes: readonly (readonly [condition: string, count: number])[];
}

function tell(outcome: PlayOutcome): void {
  process.send?.(outcome);
}

async function play({ name, seeds, interruptSeed, every }: PlayOrder): Promise<void> {
  const scenario = allScenarios.find((one) => one.name === name) as Scenario;
  for (const seed of seeds) {
    const { violation, virtualMs, faults, sometimes } = await rehearse(scenario, { seed, turn, eventsKept: 1 });
    tell({ name, which: `seed ${seed}`, violation, interrupted: false, virtualMs, faults, sometimes });
  }
  if (interruptSeed === undefined) return;
  for await (const { interruption, violation, virtualMs, sometimes } of interrupt(scenario, {
    seed: interruptSeed,
    turn,
    every: strideOf(name, every),
  })) {
    const which = `seed ${interruptSeed}, ${interruption === undefined ? 'without an interruption' : tellInterruption(interruption)}`;
    tell({ name, which, violation, interrupted: true, virtualMs, faults: interruption === undefined ? 0 : 1, sometimes });
  }
}

process.on('message', (order: PlayOrder) => {
  void play(order).then(() => process.send?.('done'));
});
