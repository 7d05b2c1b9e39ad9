/** Explores one scope in a process of its own. */
import { fork } from 'node:child_process';
import type { Exploration, ExploreOptions, Progress } from '@quorate/testkit';

export type ModelTask = Omit<ExploreOptions, 'onProgress'>;

export interface ModelOutcome extends Omit<Exploration, 'happened'> {
  readonly happened: readonly (readonly [string, number])[];
  readonly seconds: number;
  /** The most memory that the process had. */
  readonly rssBytes: number;
}

export type ModelReport =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'outcome'; readonly outcome: ModelOutcome };

/** The worlds of a level can be many. */
const HEAP_MB = 8_000;

/** What is bundled for `runModel`. */
export const CHILD = new URL('./child.ts', import.meta.url);

/** @param program the bundle of `CHILD`. */
export function runModel(program: string, task: ModelTask, onProgress?: (progress: Progress) => void): Promise<ModelOutcome> {
  return new Promise((resolve, reject) => {
    const child = fork(program, { execArgv: [`--max-old-space-size=${HEAP_MB}`] });
    let outcome: ModelOutcome | undefined;
    child.on('message', (report: ModelReport) => {
      if (report.type === 'progress') onProgress?.(report.progress);
      else outcome = report.outcome;
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (outcome === undefined) reject(new Error(`a process of the model checker ended with status ${code}`));
      else resolve(outcome);
    });
    child.send(task);
  });
}
