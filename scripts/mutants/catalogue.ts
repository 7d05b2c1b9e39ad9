/** All mutants. */
import { DOCUMENT_MUTANTS } from './document-mutants.ts';
import { ELECTION_MUTANTS } from './election-mutants.ts';
import { LOG_MUTANTS } from './log-mutants.ts';
import type { Mutant, Section } from './mutant.ts';
import { SERVER_MUTANTS } from './server-mutants.ts';

export const SECTIONS: readonly Section[] = [
  { name: 'A. The log, synchronization and broadcast', mutants: LOG_MUTANTS },
  { name: 'B. Election, discovery and epochs', mutants: ELECTION_MUTANTS },
  { name: 'C, D. Sessions, the tree, watches and requests', mutants: SERVER_MUTANTS },
  { name: 'E. Errors of the protocol’s documents', mutants: DOCUMENT_MUTANTS },
];

export const MUTANTS: readonly Mutant[] = SECTIONS.flatMap(({ mutants }) => mutants);
