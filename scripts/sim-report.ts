/** What the simulator says to people: how fast it goes, what it has seen, and how a failure is looked at. */
import { conditionsOf, type Level, simulate } from '@quorate/testkit';
import type { SeedOutcome } from './sim-seeds.ts';

const EVENTS_SHOWN = 80;
/** A seed that does not come right goes on for a long time before that is certain. */
const EVENTS_KEPT = 500_000;

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
    if (outcome.violation !== undefined || !outcome.repeated) this.failures.push(outcome);
    for (const [condition, count] of outcome.sometimes) this.#sometimes.set(condition, (this.#sometimes.get(condition) ?? 0) + count);
  }

  progress(total: number): string {
    const seconds = (performance.now() - this.#startedAt) / 1000;
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

/** The command that runs this seed again. */
export function replayCommand(seed: number, options: { readonly level: Level; readonly servers: number | undefined }): string {
  const servers = options.servers === undefined ? '' : ` --servers ${options.servers}`;
  return `npm run sim -- --seed ${seed}${servers}${options.level === 'server' ? '' : ` --level ${options.level}`}`;
}

/** Runs a seed that has failed once more and tells how it went. */
export function explain(
  outcome: SeedOutcome,
  options: {
    readonly level: Level;
    readonly servers: number | undefined;
    readonly events?: number | undefined;
    readonly all?: boolean | undefined;
  },
): string {
  const { seed, violation } = outcome;
  const again = simulate({ seed, level: options.level, servers: options.servers, eventsKept: EVENTS_KEPT });
  const lines = [
    '',
    `seed ${seed} fails: ${violation?.property ?? 'Determinism'}`,
    `  ${violation?.message ?? 'the same seed gave two different traces'}`,
    '',
    ...again.lastEvents(options.events ?? EVENTS_SHOWN, { all: options.all === true }),
    '',
    `run it again: ${replayCommand(seed, options)} [--events N] [--all]`,
  ];
  if (again.traceHash !== outcome.traceHash)
    lines.push(`NOT DETERMINISTIC: trace ${outcome.traceHash}, and ${again.traceHash} the second time`);
  return lines.join('\n');
}
