/** What the simulator says to people: how fast it goes, what it has seen, and how a failure is looked at. */
import { readFileSync } from 'node:fs';
import { conditionsOf, type Level, type SimulationOptions, type SimulationResult, shrink, simulate } from '@quorate/testkit';
import type { SeedOutcome } from './sim-seeds.ts';

const EVENTS_SHOWN = 80;
/** A seed that does not come right goes on for a long time before that is certain. */
const EVENTS_KEPT = 500_000;
/** How many runs it may take to make a failure small. */
const SHRINK_RUNS_MAX = 200;

/** What the simulator is a part of: a seed means something for one version only. */
const { version } = JSON.parse(readFileSync(new URL('../packages/testkit/package.json', import.meta.url), 'utf8')) as { version: string };

/** How much of a report is wanted. */
export interface ReportOptions {
  readonly events?: number | undefined;
  readonly all?: boolean | undefined;
}

/** Sums over the seeds of a run. */
export class Tally {
  seeds = 0;
  virtualMs = 0;
  events = 0;
  inputs = 0;
  committed = 0;
  faults = 0;
  repeated = 0;
  readonly failures: SeedOutcome[] = [];
  readonly #sometimes = new Map<string, number>();
  readonly #startedAt = performance.now();

  add(outcome: SeedOutcome): void {
    this.seeds++;
    this.virtualMs += outcome.virtualMs;
    this.events += outcome.events;
    this.inputs += outcome.inputs;
    this.committed += outcome.committed;
    this.faults += outcome.faults;
    if (outcome.ranTwice) this.repeated++;
    if (outcome.violation !== undefined || !outcome.repeated) this.failures.push(outcome);
    for (const [condition, count] of outcome.sometimes) this.#sometimes.set(condition, (this.#sometimes.get(condition) ?? 0) + count);
  }

  get #seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  progress(total: string): string {
    const seconds = this.#seconds;
    const per = (amount: number): string => Math.round(amount / seconds).toLocaleString('en');
    return [
      `${this.seeds}/${total} seeds`,
      `${(this.seeds / seconds).toFixed(1)} seeds/s`,
      `${per(this.virtualMs / 1000)} virtual s/s`,
      `${per(this.inputs)} inputs/s`,
      `${per(this.events)} events/s`,
      `${this.failures.length} failed`,
    ].join(' | ');
  }

  /** The rates by which simulators are compared. */
  perCore(jobs: number): string {
    const per = (amount: number): string => Math.round(amount / this.#seconds / jobs).toLocaleString('en');
    return `${per(this.virtualMs / 1000)} virtual s and ${per(this.inputs)} inputs per second and process`;
  }

  /** How often each condition held; those that never did are marked. */
  sometimes(level: Level): string[] {
    const conditions = conditionsOf(level);
    const width = Math.max(...conditions.map((condition) => condition.length));
    return conditions.map((condition) => {
      const count = this.#sometimes.get(condition) ?? 0;
      return `  ${condition.padEnd(width)} ${String(count).padStart(9)}${count === 0 ? '  NEVER: no checker has looked at it' : ''}`;
    });
  }

  never(level: Level): readonly string[] {
    return conditionsOf(level).filter((condition) => (this.#sometimes.get(condition) ?? 0) === 0);
  }
}

/** The command that runs this again. */
export function replayCommand({ seed, servers, level = 'server', onlyFaults, knobs }: SimulationOptions): string {
  const words = [`npm run sim -- --seed ${seed}`];
  if (servers !== undefined) words.push(`--servers ${servers}`);
  if (level !== 'server') words.push(`--level ${level}`);
  if (onlyFaults !== undefined) words.push(`--faults ${[...onlyFaults].join(',') || '0'}`);
  if (knobs?.runMs !== undefined) words.push(`--run-ms ${knobs.runMs}`);
  if (knobs?.clients !== undefined) words.push(`--clients ${knobs.clients}`);
  if (knobs?.logDisks === true) words.push('--log-disks');
  return words.join(' ');
}

/** Runs a seed that has failed once more and tells how it went. */
export function explain(simulation: SimulationOptions, outcome: Pick<SeedOutcome, 'violation' | 'traceHash'>, how: ReportOptions): string {
  const { violation } = outcome;
  const again = simulate({ ...simulation, eventsKept: EVENTS_KEPT });
  const lines = [
    '',
    `seed ${simulation.seed} of version ${version} fails: ${violation?.property ?? 'Determinism'}`,
    `  ${violation?.message ?? 'the same seed gave two different traces'}`,
    '',
    ...again.lastEvents(how.events ?? EVENTS_SHOWN, { all: how.all === true }),
    '',
    `run it again: ${replayCommand(simulation)} [--events N] [--all] [--shrink]`,
  ];
  if (again.traceHash !== outcome.traceHash)
    lines.push(`NOT DETERMINISTIC: trace ${outcome.traceHash}, and ${again.traceHash} the second time`);
  return lines.join('\n');
}

/** Makes a failure small and tells what is left of it. */
export function explainShrunk(simulation: SimulationOptions, result: SimulationResult, how: ReportOptions): string {
  const { options, result: smallest, runs } = shrink(simulation, result, { runsMax: SHRINK_RUNS_MAX });
  const faults = options.onlyFaults?.size ?? 0;
  const summary = `shrunk in ${runs} runs: ${result.faults} faults to ${faults}, ${result.clients} clients to ${smallest.clients}`;
  return `\n${summary}${explain(options, smallest, how)}`;
}
