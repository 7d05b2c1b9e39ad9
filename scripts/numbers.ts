/**
 * `npm run check:numbers`: the formulas of docs/model.md, each beside what is simulated or counted.
 *
 *     npm run check:numbers              all of them
 *     npm run check:numbers -- --tables  writes the tables of the page anew
 *
 * Exit status 1 where a formula and what was found differ, 2 for a command line that makes no sense.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { command } from './command-line.ts';
import { checks } from './numbers/checks.ts';
import { withTables } from './numbers/tables.ts';

const PAGE = new URL('../docs/model.md', import.meta.url);

await command(async () => {
  const { tables } = parseArgs({ options: { tables: { type: 'boolean', default: false } } }).values;
  if (tables) {
    writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8')));
    return true;
  }
  let wrong = 0;
  for await (const { name, formula, found, agrees } of checks(1)) {
    if (!agrees) wrong++;
    console.log(`${agrees ? 'agrees' : 'WRONG '}  ${name}: formula ${formula}, found ${found}`);
  }
  console.log(wrong === 0 ? 'all formulas agree with what was found' : `${wrong} formulas are wrong`);
  return wrong === 0;
});
