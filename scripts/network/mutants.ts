/** Bugs that `npm run test:network -- --mutants` has to find, each: those of the simulator's that a network brings to light. */
import { mutantOf } from '../mutants/catalogue.ts';
import type { Mutant } from '../mutants/mutant.ts';

export const MUTANTS: readonly Mutant[] = ['commit-by-one', 'no-step-down', 'silent-leader', 'silent-learners', 'sync-local'].map(mutantOf);
