/**
 * `npm run bench`: all of it, or the parts that are named after `--`; `--quick` for a look, `--json FILE` to keep the figures.
 * `--peers` measures other makers' consensus beside `zab`: see bench/peers/README.md.
 */
import { parseArgs } from 'node:util';
import { benchCodec } from './codec.js';
import { benchBoot, benchEnsemble } from './ensemble.js';
import { benchLog } from './log.js';
import { benchRecipes } from './recipes.js';
import { Report } from './report.js';
import { benchTree } from './tree.js';
import { benchTurns } from './turns.js';
import { benchWatches } from './watches.js';
import { benchZab } from './zab.js';

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
  allowPositionals: true,
});
const timeMs = values.quick ? 300 : 3_000;
const report = new Report();
const parts: Record<string, () => Promise<void>> = {
  boot: () => benchBoot(values.quick ? 5 : 50),
  zab: () => benchZab({ timeMs, rounds: values.quick ? 3 : 9, peers: values.peers }, report),
  ensemble: () => benchEnsemble(timeMs, report),
  tree: () => benchTree({ timeMs, directories: values.quick ? 100 : 1_000 }, report),
  log: () => benchLog({ timeMs, txns: values.quick ? 100_000 : 1_000_000 }, report),
  turns: () => benchTurns({ rounds: values.quick ? 3 : 5, children: values.quick ? 30_000 : 1_000_000 }, report),
  recipes: () =>
    benchRecipes(
      { timeMs, items: 200, ...(values.quick ? { members: [10, 20], barriers: 5 } : { members: [50, 100, 200], barriers: 200 }) },
      report,
    ),
  codec: () => benchCodec(timeMs / 3, report),
  watches: () =>
    benchWatches({ rounds: 3, ...(values.quick ? { count: 100_000, sessions: 1_000 } : { count: 1_000_000, sessions: 10_000 }) }, report),
};

const unknown = positionals.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(`there is no bench '${unknown}'; there are ${Object.keys(parts).join(', ')}`);
  process.exit(1);
}
console.log(`Node ${process.versions.node}. Rates are medians; only ratios within a run mean something.`);
for (const [name, part] of Object.entries(parts)) if (positionals.length === 0 || positionals.includes(name)) await part();
if (values.json !== undefined) report.save(values.json);
