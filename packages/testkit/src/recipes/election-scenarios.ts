/** Elections. */
import { type Hold, isRecipeError, LeaderLatch, LeaderSelector } from '@quorate/recipes';
import type { Actor, Scenario, Stage } from '../stage/stage.js';
import { between, chance, millis } from '../world/random-streams.js';
import { Holders } from './holders.js';
import { judgeNothingLeft } from './nothing-left.js';

export const electionScenarios: readonly Scenario[] = [
  { name: 'leader-latch', play: (stage) => playElection(stage, standByLatch) },
  { name: 'leader-selector', play: (stage) => playElection(stage, standBySelector) },
];

const PATH = '/election';

async function playElection(stage: Stage, stand: (stage: Stage, actor: Actor, leaders: Holders) => Promise<void>): Promise<void> {
  const leaders = new Holders(stage);
  const names = ['a', 'b', 'c', 'd'].slice(0, between(stage.random, 2, 4));
  await Promise.all(names.map((name) => stage.cast(name, (actor) => stand(stage, actor, leaders))));
  leaders.judgeExclusion();
  await judgeNothingLeft(stage, PATH);
}

/** Leads whenever it can, and goes now and then. In the end it leads once more. */
async function standByLatch(stage: Stage, actor: Actor, leaders: Holders): Promise<void> {
  const { client, random, over, id } = actor;
  while (!over.aborted) {
    await using latch = new LeaderLatch(client, PATH, { id }).start();
    const terms = between(random, 1, 3);
    for (let i = 0; i < terms; i++) {
      const term = await latch.leadership({ signal: over }).catch((reason) => {
        if (reason !== over.reason) throw reason;
        return undefined;
      });
      if (term === undefined) break;
      const release = chance(random, 500) ? () => latch.close() : () => term.release();
      await leaders.keep(actor, term, { forMs: millis(random, 0, stage.sessionTimeoutMs), release });
      if (!latch.isStanding) break;
    }
  }
  await using latch = new LeaderLatch(client, PATH, { id }).start();
  const term = await latch.leadership();
  const leader = await latch.leader();
  if (leader !== id && !term.signal.aborted) stage.fail('LeaderIsKnown', `${id} leads, and ${leader} is said to`);
  await leaders.keep(actor, term, { forMs: 1 });
}

/** Does its work whenever it leads, sometimes until it is told to end. */
async function standBySelector(stage: Stage, actor: Actor, leaders: Holders): Promise<void> {
  const { client, random, id } = actor;
  let terms = 0;
  const task = async (term: Hold): Promise<void> => {
    terms++;
    const forMs = millis(random, 0, chance(random, 300) ? stage.sessionTimeoutMs * 2 : stage.sessionTimeoutMs / 3);
    await leaders.keep(actor, term, { forMs });
  };
  await using selector = new LeaderSelector(client, PATH, task, { id }).start();
  await Promise.race([selector.ended(), untilOver(actor)]);
  await selector.close();
  await selector.ended();
  const before = terms;
  await using once = new LeaderSelector(client, PATH, task, { id, requeue: false }).start();
  await once.ended().catch((reason) => {
    if (!isRecipeError(reason, 'LOST')) throw reason;
  });
  if (terms === before) stage.fail('EverybodyLeads', `${id} has never led in the end`);
}

function untilOver({ over }: Actor): Promise<void> {
  return new Promise((resolve) => {
    if (over.aborted) resolve();
    over.addEventListener('abort', () => resolve());
  });
}
