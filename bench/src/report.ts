/** What every benchmark prints: a rate, and its ratio to something simple measured in the same run, because machines differ and are noisy. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface Baseline {
  readonly name: string;
  readonly perSecond: number;
}

/** What is measured in rounds, each beside the baseline. */
export interface Rounds {
  readonly low: number;
  readonly high: number;
  /** The median of the rounds' own ratios: what slows the whole machine for a while does not count. */
  readonly timesBaseline: number;
}

interface Figure {
  readonly title: string;
  readonly name: string;
  readonly perSecond: number;
  readonly timesBaseline: number;
  readonly low?: number;
  readonly high?: number;
}

interface Amount {
  readonly title: string;
  readonly name: string;
  readonly amount: number;
  readonly unit: string;
}

export class Report {
  readonly #figures: Figure[] = [];
  readonly #amounts: Amount[] = [];
  #title = '';

  heading(title: string, baseline: Baseline): void {
    this.#title = title;
    const name = 'baseline: ' + baseline.name;
    console.log(`\n${title}\n  ${line(name, baseline.perSecond)}`);
    this.#figures.push({ title, name, perSecond: baseline.perSecond, timesBaseline: 1 });
  }

  rate(name: string, perSecond: number, baseline: Baseline, rounds?: Rounds): void {
    const { timesBaseline, ...spread } = rounds ?? { timesBaseline: perSecond / baseline.perSecond };
    const between = rounds === undefined ? '' : `   ${count(rounds.low)} to ${count(rounds.high)}`;
    console.log(`  ${line(name, perSecond)}   ${timesBaseline.toPrecision(2).padStart(6)} × baseline${between}`);
    this.#figures.push({ title: this.#title, name, perSecond, timesBaseline, ...spread });
  }

  /** What is no rate, and has no baseline. */
  amount(name: string, amount: number, unit: string): void {
    console.log(`  ${name.padEnd(58)} ${count(amount).padStart(12)} ${unit}`);
    this.#amounts.push({ title: this.#title, name, amount, unit });
  }

  /** Writes all that was reported as JSON. */
  save(file: string): void {
    const machine = { node: process.versions.node, cores: availableParallelism() };
    writeFileSync(file, JSON.stringify({ machine, figures: this.#figures, amounts: this.#amounts }, undefined, 2) + '\n');
  }
}

function line(name: string, perSecond: number): string {
  return `${name.padEnd(58)} ${count(perSecond).padStart(12)}/s`;
}

function count(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en');
}

/** Runs `batch`, which does `size` operations, until the time is up and at least three times; gives the median rate of operations. */
export async function measure(timeMs: number, size: number, batch: () => void | Promise<void>): Promise<number> {
  // The first runs are the compiler's.
  await batch();
  await batch();
  const rates: number[] = [];
  const end = performance.now() + timeMs;
  while (performance.now() < end || rates.length < 3) {
    const start = performance.now();
    await batch();
    rates.push((size * 1_000) / (performance.now() - start));
  }
  return median(rates);
}

export function median(rates: readonly number[]): number {
  const sorted = [...rates].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
