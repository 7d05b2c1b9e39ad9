/**
 * `npm run test:recipes`: every recipe on a stage where things go wrong.
 *
 *     npm run test:recipes -- --seeds 200               each under simulated weather, for seeds 1 to 200, and once with each request interrupted
 *     npm run test:recipes -- --only lock,semaphore     these
 *     npm run test:recipes -- --only lock --seed 42     one seed, twice, and how it went
 *     npm run test:recipes -- --only lock --interrupt   only interruptions
 *     npm run test:recipes -- --apache                  each against Apache ZooKeeper, by the real clock
 *
 * Exit status 1 where something does not hold, 2 for a command line that makes no sense.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { rehearse, type Scenario } from '@quorate/testkit';
import { command, whole } from './command-line.ts';
import { playAgainstApache } from './recipes/apache-run.ts';
import { allScenarios } from './recipes/scenarios.ts';
import { runScenarios } from './recipes/scenarios-run.ts';
import { turn } from './recipes/turn.ts';

/** How many events a failure shows, and how many are kept for it. */
const EVENTS_SHOWN = 120;
const EVENTS_KEPT = 100_000;

function chosen(only: readonly string[]): readonly Scenario[] {
  const names = only.flatMap((list) => list.split(','));
  if (names.length === 0) return allScenarios;
  return names.map((name) => {
    const scenario = allScenarios.find((one) => one.name === name);
    if (scenario === undefined) throw new RangeError(`--only is one of ${allScenarios.map((one) => one.name).join(', ')}, not "${name}"`);
    return scenario;
  });
}

/** One seed, twice: it has to do the same again. */
async function playOne(scenario: Scenario, seed: number, events: number): Promise<boolean> {
  const options = { seed, turn, eventsKept: EVENTS_KEPT };
  const first = await rehearse(scenario, options);
  const repeated = (await rehearse(scenario, options)).traceHash === first.traceHash;
  for (const line of first.lastEvents(events)) console.log(line);
  const outcome = first.violation === undefined ? 'holds' : `fails: ${first.violation.property}: ${first.violation.message}`;
  console.log(
    `${scenario.name}, seed ${seed}, ${outcome}; trace ${first.traceHash}${repeated ? ', twice' : ' and ANOTHER the second time'}`,
  );
  return first.violation === undefined && repeated;
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '50' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      jobs: { type: 'string', default: String(availableParallelism()) },
      interrupt: { type: 'boolean', default: false },
      every: { type: 'string', default: '1' },
      events: { type: 'string', default: String(EVENTS_SHOWN) },
      apache: { type: 'boolean', default: false },
    },
  });
  const scenarios = chosen(values.only);
  const from = whole('from', values.from, 0);
  if (values.apache) return playAgainstApache(scenarios, from);
  if (values.seed !== undefined) {
    const [scenario, other] = scenarios;
    if (scenario === undefined || other !== undefined) throw new RangeError('--seed goes with one scenario: say --only NAME');
    return playOne(scenario, whole('seed', values.seed, 0), whole('events', values.events, 0));
  }
  return runScenarios({
    names: scenarios.map(({ name }) => name),
    from,
    count: values.interrupt ? 0 : whole('seeds', values.seeds, 1),
    every: whole('every', values.every, 1),
    jobs: whole('jobs', values.jobs, 1),
  });
});
