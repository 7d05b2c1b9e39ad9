/** What every benchmark prints: a rate, and its ratio to something simple measured in the same run, because machines differ and are noisy. */

export interface Baseline {
  readonly name: string;
  readonly perSecond: number;
}

export function heading(title: string, baseline: Baseline): void {
  console.log(`\n${title}\n  ${line('baseline: ' + baseline.name, baseline.perSecond)}`);
}

export function rate(name: string, perSecond: number, baseline: Baseline): void {
  console.log(`  ${line(name, perSecond)}   ${(perSecond / baseline.perSecond).toPrecision(2)} × baseline`);
}

function line(name: string, perSecond: number): string {
  return `${name.padEnd(58)} ${Math.round(perSecond).toLocaleString('en').padStart(12)}/s`;
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
  rates.sort((a, b) => a - b);
  return rates[rates.length >> 1] as number;
}
