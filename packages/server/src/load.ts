/**
 * What one server has under way for its clients, and how much that may be (`RequestThrottler`, `ZooKeeperServer.getInProcess`).
 *
 * Where there is no room a connection takes one request at a time, and what it sends besides waits, first in its port, then in its link. So nothing is lost,
 * every client gets on, and the memory is bounded by the limit and by one request of each connection.
 */

/** Requests that a server has under way unless the options say otherwise, in bytes. */
const OUTSTANDING_BYTES_MAX = 64 * 1024 * 1024;

/** What large requests may take together unless the options say otherwise, in bytes (`largeRequestMaxBytes`). */
const LARGE_REQUESTS_BYTES_MAX = 100 * 1024 * 1024;

/** Limits on requests; but for the first one, all of them are off unless they are given. */
export interface RequestThrottle {
  /** Requests under way at a time, in bytes; 64 MiB when absent (`globalOutstandingLimit`, which counts them). With more a connection has one under way. */
  readonly bytesMax?: number | undefined;
  /**
   * Requests under way at a time (`requestThrottleLimit`). With more a connection has one under way, and the others wait; so there are never more than this
   * and one for each connection.
   */
  readonly requestsMax?: number | undefined;
  /**
   * How long a request may have waited in its port when its turn comes, in milliseconds; one that has waited longer is answered THROTTLED_OP in its turn
   * (`throttledOpWaitTime`). Never so: what ends or keeps a session, authentication, and watches that are set again.
   */
  readonly waitMsMax?: number | undefined;
  /** The size from which a request counts as large, in bytes (`largeRequestThreshold`). */
  readonly largeRequestBytes?: number | undefined;
  /** What large requests may take together, in bytes; 100 MiB when absent. One more ends its connection (`largeRequestMaxBytes`). */
  readonly largeRequestsBytesMax?: number | undefined;
}

export class Load {
  readonly waitMsMax: number;
  readonly #bytesMax: number;
  readonly #requestsMax: number;
  readonly #largeRequestBytes: number;
  readonly #largeRequestsBytesMax: number;
  #requests = 0;
  #bytes = 0;
  #largeBytes = 0;

  constructor(throttle: RequestThrottle = {}) {
    this.waitMsMax = throttle.waitMsMax ?? Infinity;
    this.#bytesMax = throttle.bytesMax ?? OUTSTANDING_BYTES_MAX;
    this.#requestsMax = throttle.requestsMax ?? Infinity;
    this.#largeRequestBytes = throttle.largeRequestBytes ?? Infinity;
    this.#largeRequestsBytesMax = throttle.largeRequestsBytesMax ?? LARGE_REQUESTS_BYTES_MAX;
  }

  /** Requests under way. */
  get requests(): number {
    return this.#requests;
  }

  /** What they take, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is so much that nothing more should come into memory. */
  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax;
  }

  /** Whether a connection may have more than one request under way. */
  get hasRoom(): boolean {
    return !this.isFull && this.#requests < this.#requestsMax;
  }

  /** Whether a request may be taken at all. */
  bears(bytes: number): boolean {
    return bytes < this.#largeRequestBytes || this.#largeBytes + bytes <= this.#largeRequestsBytesMax;
  }

  /** A request is under way. */
  begin(bytes: number): void {
    this.#requests++;
    this.#bytes += bytes;
    if (bytes >= this.#largeRequestBytes) this.#largeBytes += bytes;
  }

  /** It is answered, or its connection has ended. */
  end(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
    if (bytes >= this.#largeRequestBytes) this.#largeBytes -= bytes;
  }
}
