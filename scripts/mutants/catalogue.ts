/** All mutants. */
import { ACCESS_MUTANTS } from './access-mutants.ts';
import { DOCUMENT_MUTANTS } from './document-mutants.ts';
import { ELECTION_MUTANTS } from './election-mutants.ts';
import { LOG_MUTANTS } from './log-mutants.ts';
import { MODE_MUTANTS } from './mode-mutants.ts';
import type { Mutant, Section } from './mutant.ts';
import { RECIPE_MUTANTS } from './recipe-mutants.ts';
import { SERVER_MUTANTS } from './server-mutants.ts';
import { SUCCESSION_MUTANTS } from './succession-mutants.ts';

export const SECTIONS: readonly Section[] = [
  { name: 'A. The log, synchronization and broadcast', mutants: LOG_MUTANTS },
  { name: 'B. Election, discovery and epochs', mutants: ELECTION_MUTANTS },
  { name: 'C, D. Sessions, the tree, watches and requests', mutants: [...SERVER_MUTANTS, ...ACCESS_MUTANTS, ...MODE_MUTANTS] },
  { name: 'E. Errors of the protocol’s documents', mutants: DOCUMENT_MUTANTS },
  { name: 'F. Lost stores, epochs without elections, hand-over, bulk and frames', mutants: SUCCESSION_MUTANTS },
  { name: 'G. Recipes', mutants: RECIPE_MUTANTS },
];

export const MUTANTS: readonly Mutant[] = SECTIONS.flatMap(({ mutants }) => mutants);

/** @throws RangeError where there is none of that name. */
export function mutantOf(id: string): Mutant {
  const mutant = MUTANTS.find((one) => one.id === id);
  if (mutant === undefined) throw new RangeError(`a mutant is named, not "${id}"`);
  return mutant;
}
