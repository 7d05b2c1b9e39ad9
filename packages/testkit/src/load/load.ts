/** The work that an ensemble is given during a run. */
export interface Load {
  /** Begins, in the first moment of the run. */
  start(): void;
  /** Takes up nothing new; what is under way goes on. */
  settle(): void;
  /** Asks for one write, in a healed world: `done` once it is acknowledged. It tries for as long as it is let. */
  probe(done: () => void): void;
  /** The last word: what can only be told when all is quiet. */
  finish(): void;
}
