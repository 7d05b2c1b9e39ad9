/** Applies the edits of a mutant to the source. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Edit, Mutant } from './mutant.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Mutants that do not fit the source any more: they have to be written anew. */
export class StaleMutants extends Error {}

/** By absolute path: the text of each file that the mutant changes, with the change made. */
export function patchedFiles(mutant: Mutant): Map<string, string> {
  const files = new Map<string, string>();
  for (const edit of mutant.edits) {
    const path = resolve(ROOT, edit.file);
    files.set(path, replaceOnce(files.get(path) ?? readFileSync(path, 'utf8'), edit, mutant.id));
  }
  return files;
}

/** @throws StaleMutants where any of them does not fit. */
export function checkThatAllFit(mutants: readonly Mutant[]): void {
  const faults: string[] = [];
  for (const mutant of mutants) {
    try {
      patchedFiles(mutant);
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  if (faults.length > 0) throw new StaleMutants(faults.join('\n'));
}

function replaceOnce(text: string, { file, find, replace }: Edit, id: string): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new StaleMutants(`${id}: stands ${times} times in ${file}, and must stand there once:\n${find}\n`);
  // A function, because a string would be read for $ patterns.
  return text.replace(find, () => replace);
}
