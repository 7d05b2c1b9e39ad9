/**
 * `npm run test:mixed`: a server of ours in an ensemble with two of Apache ZooKeeper 3.8, which it follows and never leads (docs/decisions/0020): with the
 * greatest sid, with the least, and as an observer. At the end of each scene its tree is the one that all txns in their log make, by digest.
 *
 *     npm run test:mixed                     needs Debian's zookeeper and default-jre-headless; about a minute and a half
 *     npm run test:mixed -- --only greatest  one of: greatest, least, observer
 *
 * Exit status 1 where something is not as it must be, 2 for a command line that makes no sense.
 */
import { parseArgs } from 'node:util';
import type { Sid } from '@quorate/zab';
import { command } from './command-line.ts';
import { choosePlaces, Ours, Theirs, withFolder } from './mixed/members.ts';
import { leaderOf, type Mixed, scenes } from './mixed/scenes.ts';

interface Cast {
  readonly theirs: readonly Sid[];
  readonly ours: Sid;
  readonly votes: boolean;
}

const CASTS: Readonly<Record<string, Cast>> = {
  greatest: { theirs: [1, 2], ours: 3, votes: true },
  least: { theirs: [2, 3], ours: 1, votes: true },
  observer: { theirs: [1, 2], ours: 3, votes: false },
};

async function run(name: string, { theirs: sids, ours: sid, votes }: Cast): Promise<boolean> {
  const places = await choosePlaces(sids, [sid], votes ? [] : [sid]);
  let good = true;
  await withFolder(async (folder) => {
    const theirs = await Promise.all(sids.map((their) => Theirs.install(places, their, folder)));
    const mixed: Mixed = { theirs, ours: new Ours(places, sid), votes };
    try {
      for (const server of theirs) server.start();
      await leaderOf(theirs);
      for (const scene of scenes) {
        if (!good || (scene.voters === true && !votes)) continue;
        const begun = performance.now();
        try {
          await scene.play(mixed);
          console.log(`${name}: ${scene.name} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
        } catch (error) {
          good = false;
          console.error(`${name}: ${scene.name}: FAILED`, error);
          console.error(mixed.ours.describe());
        }
      }
    } finally {
      await mixed.ours.stop();
      for (const server of theirs) await server.stop();
    }
  });
  return good;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const { only } = values;
  if (only !== undefined && !(only in CASTS)) throw new RangeError(`--only is one of ${Object.keys(CASTS).join(', ')}, not "${only}"`);
  let good = true;
  for (const [name, cast] of Object.entries(CASTS)) if (only === undefined || only === name) good = (await run(name, cast)) && good;
  return good;
}

await command(main);
