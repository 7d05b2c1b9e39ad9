/** What listeners count of their connections, before a server has anything to do with them. */
export interface ListenerCounts {
  bytesReceived: number;
  /** Connections that were ended at once, because there are too many. */
  rejected: number;
  /** Those that did not introduce themselves in time. */
  handshakesExpired: number;
  /** Those that TLS has not let in. */
  handshakesFailed: number;
}

export function noCounts(): ListenerCounts {
  return { bytesReceived: 0, rejected: 0, handshakesExpired: 0, handshakesFailed: 0 };
}

/** What several have counted together. */
export function sumOf(all: readonly Readonly<ListenerCounts>[]): ListenerCounts {
  const sum = noCounts();
  for (const counts of all) for (const name of Object.keys(sum) as (keyof ListenerCounts)[]) sum[name] += counts[name];
  return sum;
}
