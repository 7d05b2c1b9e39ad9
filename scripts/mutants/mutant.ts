/** A known bug as data: what to change in the shipped source to have it back. The source itself has no switch for it. */
import type { Level } from '@quorate/testkit';

/** What is run with a mutant: a simulation, or the scenario of a recipe on its stage. */
export type MutantLevel = Level | `recipe ${string}`;

/** One change of one file. */
export interface Edit {
  /** From the root of the workspace. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** The ticket it comes from where there is one, and a word of its own: `ZK-4646`. */
  readonly id: string;
  /** What the code does then. */
  readonly title: string;
  /** A ticket, a paper, the protocol's specification, or this code, which invites the mistake. */
  readonly origin: string;
  readonly level: MutantLevel;
  /** The rule of `docs/zab.md` that it breaks: a test that bears the rule's number has to fail. */
  readonly rule?: number;
  /** A test that has to fail with it, where the simulator seldom meets what it breaks: `npm run check:rules` sees to it. */
  readonly test?: { readonly file: string; readonly name: string };
  /** Usually one. A second one takes away the guard that stands behind the rule, where what is asked is whether a checker sees it too. */
  readonly edits: readonly Edit[];
  /** The property that ought to fail; whichever fails first is recorded. */
  readonly expects?: string;
  /** Why the simulator does not catch it, where that is known: it is run and reported, and is no failure of the run. */
  readonly survives?: string;
}

/** Mutants that belong together, in the order of `docs/mutants.md`. */
export interface Section {
  readonly name: string;
  readonly mutants: readonly Mutant[];
}
