/** What one connection may cost. */

/** How long a client may take from connecting to its complete ConnectRequest, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** How long a server that is closed waits for its clients to go, in milliseconds. */
export const GOODBYE_MS = 1_000;

/** How long a server that is closed waits for the handing over of its leadership, in ticks; then an election finds the next leader. */
export const HAND_OVER_TICKS_MAX = 10;

/** Answers that wait for a client before nothing more is read from it, in bytes. */
export const OUTBOX_PAUSE_BYTES = 1024 * 1024;

/** Answers and events that may wait for a client, in bytes; one that reads more slowly is disconnected, and its session goes on elsewhere. */
export const OUTBOX_BYTES_MAX = 64 * 1024 * 1024;

/** How long a connection that the server has ended may take to read what was sent before, in milliseconds. */
export const LINGER_MS = 5_000;

/** Connections that a listener has open at a time. */
export const CONNECTIONS_MAX = 10_000;

/** Connections of one address of another machine, unless the options say otherwise. */
export const CONNECTIONS_PER_ADDRESS_MAX = 60;

/** The longest frame that a client takes from a server, in bytes: a list of children can be longer than any request. */
export const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;
