/**
 * Makes a failure small: the same seed with fewer faults, fewer clients and a shorter run, as long as the same property fails. What is left out changes nothing in what
 * the rest draws, so that a failure mostly survives (delta debugging, Zeller and Hildebrandt 2002).
 */
import { type SimulationOptions, type SimulationResult, simulate } from './simulation.js';

export interface Shrunk {
  /** What fails still. */
  readonly options: SimulationOptions;
  readonly result: SimulationResult;
  /** How many runs it took. */
  readonly runs: number;
}

export interface ShrinkOptions {
  /** How many runs may be made. */
  readonly runsMax: number;
  /** Called after every run. */
  readonly onRun?: (runs: number, faults: number) => void;
}

/** A run in which a property fails; `first` is what came of it. */
export function shrink(options: SimulationOptions, first: SimulationResult, limits: ShrinkOptions): Shrunk {
  return new Shrinker(options, first, limits).run();
}

class Shrinker {
  readonly #property: string;
  readonly #limits: ShrinkOptions;
  #best: SimulationOptions;
  #result: SimulationResult;
  #runs = 0;

  constructor(options: SimulationOptions, first: SimulationResult, limits: ShrinkOptions) {
    this.#best = { ...options, onlyFaults: new Set(first.struck) };
    this.#result = first;
    this.#property = first.violation?.property ?? '';
    this.#limits = limits;
  }

  run(): Shrunk {
    this.#shortenRun();
    this.#dropFaults();
    this.#dropClients();
    this.#shortenRun();
    return { options: this.#best, result: this.#result, runs: this.#runs };
  }

  /** Whether the same property fails; then that is the best so far. */
  #fails(change: Partial<SimulationOptions>): boolean {
    if (this.#runs >= this.#limits.runsMax) return false;
    this.#runs++;
    const options = { ...this.#best, ...change };
    const result = simulate(options);
    this.#limits.onRun?.(this.#runs, options.onlyFaults?.size ?? 0);
    if (result.violation?.property !== this.#property) return false;
    this.#best = options;
    this.#result = result;
    return true;
  }

  /** Ends the time of the faults right where the failure is seen. */
  #shortenRun(): void {
    const { virtualMs } = this.#result;
    this.#fails({ knobs: { ...this.#best.knobs, runMs: Math.ceil(virtualMs) } });
  }

  /** Leaves out ever smaller parts of the faults. */
  #dropFaults(): void {
    let parts = 2;
    for (;;) {
      const faults = [...(this.#best.onlyFaults ?? [])];
      if (faults.length === 0 || this.#runs >= this.#limits.runsMax) return;
      const size = Math.ceil(faults.length / parts);
      if (this.#dropOne(faults, size)) {
        parts = Math.max(2, parts - 1);
      } else {
        if (size === 1) return;
        parts = Math.min(faults.length, parts * 2);
      }
    }
  }

  #dropOne(faults: readonly number[], size: number): boolean {
    for (let at = 0; at < faults.length; at += size) {
      const kept = faults.filter((_, i) => i < at || i >= at + size);
      if (this.#fails({ onlyFaults: new Set(kept) })) return true;
    }
    return false;
  }

  #dropClients(): void {
    for (let clients = 1; clients < this.#result.clients; clients++) {
      if (this.#fails({ knobs: { ...this.#best.knobs, clients } })) return;
    }
  }
}
