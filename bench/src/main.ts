/** `pnpm bench`: all of it, or the parts that are named; `--quick` for a look. */
import { parseArgs } from 'node:util';
import { benchCodec } from './codec.js';
import { benchBoot, benchEnsemble } from './ensemble.js';
import { benchTree } from './tree.js';
import { benchZab } from './zab.js';

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean', default: false } }, allowPositionals: true });
const timeMs = values.quick ? 300 : 3_000;
const parts: Record<string, () => Promise<void>> = {
  boot: () => benchBoot(values.quick ? 5 : 50),
  zab: () => benchZab(timeMs),
  ensemble: () => benchEnsemble(timeMs),
  tree: () => benchTree(timeMs),
  codec: () => benchCodec(timeMs / 3),
};

const unknown = positionals.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(`there is no bench '${unknown}'; there are ${Object.keys(parts).join(', ')}`);
  process.exit(1);
}
console.log(`Node ${process.versions.node}. Rates are medians; only ratios within a run mean something.`);
for (const [name, part] of Object.entries(parts)) if (positionals.length === 0 || positionals.includes(name)) await part();
