import type { Mutant } from '../mutants/mutant.ts';
export const MUTANTS: readonly Mutant[] = [];
