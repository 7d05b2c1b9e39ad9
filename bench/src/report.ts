/** What every benchmark prints: a rate, and its ratio to something simple measured in the same run, because machines differ and are noisy. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface Baseline {
  readonly name: string;
  readonly perSecond: number;
  readonly cost?: Cost;
}

/** What one operation took: time, and of the server's processors. */
export interface Cost {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number;
}

/** What is measured in rounds, each beside the baseline. */
export interface Rounds {
  readonly low: number;
  readonly high: number;
  /** The median of the rounds' own ratios: what slows the whole machine for a while does not count. */
  readonly timesBaseline: number;
  /** The least and the greatest of these. */
  readonly times?: { readonly low: number; readonly high: number };
  readonly cost?: Cost;
}

interface Figure {
  readonly title: string;
  readonly name: string;
  readonly perSecond: number;
  readonly timesBaseline: number;
  readonly low?: number;
  readonly high?: number;
  readonly times?: { readonly low: number; readonly high: number };
  readonly cost?: Cost;
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
    const { perSecond, cost } = baseline;
    console.log(`\n${title}\n  ${line(name, perSecond)}${cost === undefined ? '' : costs(cost)}`);
    this.#figures.push({ title, name, perSecond, timesBaseline: 1, ...(cost !== undefined && { cost }) });
  }

  rate(name: string, perSecond: number, baseline: Baseline, rounds?: Rounds): void {
    const { timesBaseline, ...spread } = rounds ?? { timesBaseline: perSecond / baseline.perSecond };
    const between = rounds === undefined ? '' : `   ${grouped(rounds.low)} to ${grouped(rounds.high)}`;
    const times = rounds?.times === undefined ? '' : ` (${factor(rounds.times.low)} to ${factor(rounds.times.high)})`;
    const took = rounds?.cost === undefined ? '' : costs(rounds.cost);
    console.log(`  ${line(name, perSecond)}${took}   ${factor(timesBaseline).padStart(6)} × baseline${times}${between}`);
    this.#figures.push({ title: this.#title, name, perSecond, timesBaseline, ...spread });
  }

  /** What is no rate, and has no baseline. */
  amount(name: string, amount: number, unit: string): void {
    console.log(`  ${name.padEnd(58)} ${grouped(amount).padStart(12)} ${unit}`);
    this.#amounts.push({ title: this.#title, name, amount, unit });
  }

  /** Writes all that was reported as JSON. */
  save(file: string): void {
    const machine = { node: process.versions.node, cores: availableParallelism() };
    writeFileSync(file, JSON.stringify({ machine, figures: this.#figures, amounts: this.#amounts }, undefined, 2) + '\n');
  }
}

function line(name: string, perSecond: number): string {
  return `${name.padEnd(58)} ${grouped(perSecond).padStart(12)}/s`;
}

function costs({ p50Ms, p99Ms, cpuUs }: Cost): string {
  return `   p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${cpuUs.toFixed(1)} µs of CPU`;
}

function factor(times: number): string {
  return times.toPrecision(2);
}

/** A whole number for people to read. */
export function grouped(amount: number): string {
  return Math.round(amount).toLocaleString('en');
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
