/** How much of the infinite tree of executions is explored. */

export interface Scope {
  readonly servers: number;
  /** Txns, over all leaders; those in a history of the beginning are counted. */
  readonly txns: number;
  readonly crashes: number;
  /** Firings of `init` and `tick`, and of `election` where it only says a vote again: somebody gives up waiting. */
  readonly timeouts: number;
  /** Cuts of a learner channel while both ends live. */
  readonly cuts: number;
  /** Crashes after which the server comes back without its store. */
  readonly wipes: number;
  /** Entries on the servers' disks that cannot be read at the beginning, that many at most, in every choice of them; none when absent. */
  readonly damaged?: number;
  /** Ticks of a leader with which nobody has been silent: it does then what it does from time to time. */
  readonly beats: number;
  readonly handOvers: number;
  /** Txns after which an epoch ends; no end when absent. */
  readonly epochTxnsMax?: number;
  /**
   * Elections that take place, each one step; from `start` the highest round of an election, beyond which a world is not followed; a server
   * that begins anew begins at round 1.
   */
  readonly elections: number;
  /**
   * `start`: every server is looking for the first time and every notification is a step of its own. `elected`: an election is one step, and the
   * servers begin with each of the histories of `histories.ts`. `discovered`: so is the discovery of those who take part in it, up to their promises.
   */
  readonly from: 'start' | 'elected' | 'discovered';
  /** But for `start`: whether the stores of each history are given to the servers in one order, or in all. */
  readonly orders: 'one' | 'all';
}

/** What has been used up of a scope. */
export interface Used {
  readonly txns: number;
  readonly crashes: number;
  readonly timeouts: number;
  readonly cuts: number;
  readonly elections: number;
  readonly wipes: number;
  readonly beats: number;
  readonly handOvers: number;
}
