/** All times of the protocol derive from tickTime (zoo.cfg: tickTime, initLimit, syncLimit). */
export interface Timing {
  /** The unit of time, in milliseconds. */
  readonly tickTimeMs: number;
  /** Ticks that discovery and synchronization may take. */
  readonly initLimit: number;
  /** Ticks of silence after which a peer counts as gone. */
  readonly syncLimit: number;
}

/** How long a server that has a quorum of votes waits for a better one (ZooKeeper: finalizeWait, 200 ms at a tick of 2,000 ms). */
export function finalizeWaitMs(timing: Timing): number {
  return timing.tickTimeMs / 10;
}

/** The pause before something is tried for the n-th time: it doubles from finalizeWait up to a tick. */
export function backOffMs(timing: Timing, tries: number): number {
  return Math.min(timing.tickTimeMs, finalizeWaitMs(timing) * 2 ** Math.min(tries, 10));
}
