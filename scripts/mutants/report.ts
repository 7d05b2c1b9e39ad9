/** What came of the mutants, for people. */
import type { Mutant, MutantLevel, Section } from './mutant.ts';
import type { SeedsOutcome } from './seeds-run.ts';

export interface MutantOutcome extends SeedsOutcome {
  readonly mutant: Mutant;
}

const MESSAGE_CHARS = 160;

export function isCaught({ property }: SeedsOutcome): boolean {
  return property !== undefined;
}

/** One line while they run. */
export function progressLine(done: number, total: number, { mutant, property, message, seeds, seconds }: MutantOutcome): string {
  const what =
    property === undefined
      ? `SURVIVES ${seeds} seeds`
      : `${property} at seed ${seeds}: ${message?.split('\n')[0]?.slice(0, MESSAGE_CHARS)}`;
  return `${String(done).padStart(String(total).length)}/${total} ${mutant.id.padEnd(28)} ${what} (${seconds.toFixed(1)} s)`;
}

/** The table, in Markdown, section by section, in the catalogue's order. */
export function table(sections: readonly Section[], outcomes: readonly MutantOutcome[]): string[] {
  const lines: string[] = [];
  for (const { name, mutants } of sections) {
    const rows = mutants.flatMap((mutant) => outcomes.filter((outcome) => outcome.mutant === mutant)).map(row);
    if (rows.length > 0)
      lines.push(
        '',
        `### ${name}`,
        '',
        '| mutant | origin | what the code does then | caught by | seeds |',
        '|---|---|---|---|---|',
        ...rows,
      );
  }
  return lines;
}

function row({ mutant, property, seeds, message }: MutantOutcome): string {
  const what = `| ${mutant.id} | ${mutant.origin} | ${mutant.title} |`;
  if (property === undefined) {
    // `npm run check:rules` sees to it.
    const test = mutant.rule === undefined ? mutant.test?.name : `of rule ${mutant.rule}`;
    return `${what} **survives**${test === undefined ? '' : `; the test ${mutant.rule === undefined ? `“${test}”` : test} fails`} | ${seeds} |`;
  }
  // An assertion of the shipped code says what it asserts.
  const assertion = property === 'Invariant' ? message?.match(/InvariantError: (.*)/)?.[1] : undefined;
  const caught = assertion === undefined ? property : `${property}: “${assertion}”`;
  return `${what} ${caught} | ${seeds} |`;
}

/** What got through, and why, as far as it is known. */
export function survivors(outcomes: readonly MutantOutcome[]): string[] {
  const rows = outcomes
    .filter((outcome) => !isCaught(outcome))
    .map(({ mutant }) => `| ${mutant.id} | ${mutant.rule ?? ''} | ${mutant.survives ?? '?'} |`);
  return rows.length === 0 ? [] : ['', '### What survives', '', '| mutant | rule | why |', '|---|---|---|', ...rows.sort()];
}

export function totals(outcomes: readonly MutantOutcome[]): string {
  const caught = outcomes.filter(isCaught);
  const seeds = caught.map((outcome) => outcome.seeds).sort((a, b) => a - b);
  const at = (share: number): number => seeds[Math.min(seeds.length - 1, Math.ceil(seeds.length * share) - 1)] ?? 0;
  return `caught ${caught.length} of ${outcomes.length}; seeds needed: median ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}`;
}

/** What is wrong with a run: mutants that got through, and false alarms. */
export function complaints(
  outcomes: readonly MutantOutcome[],
  controls: readonly (SeedsOutcome & { readonly level: MutantLevel })[],
): string[] {
  const lines: string[] = [];
  for (const { mutant, property, seeds } of outcomes) {
    if (property === undefined && mutant.survives === undefined)
      lines.push(`${mutant.id} is not caught in ${seeds} seeds: ${mutant.title}`);
    if (property !== undefined && mutant.survives !== undefined) lines.push(`${mutant.id} is caught by now; it was known to survive`);
    if (property !== undefined && mutant.expects !== undefined && property !== mutant.expects)
      lines.push(`${mutant.id} is caught by ${property}; expected was ${mutant.expects}`);
  }
  for (const { level, property, seeds, message } of controls)
    if (property !== undefined)
      lines.push(`without a mutant, seed ${seeds} at level ${level} fails: ${property}: ${message?.split('\n')[0]}`);
  return lines;
}
