/** What one connection may cost. */

/** How long a client may take from connecting to its complete ConnectRequest, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The longest ConnectRequest that is taken, in bytes; those that clients send have 45. */
export const HANDSHAKE_BYTES_MAX = 1_024;

/** Requests of one client that are taken between two looks at whether others have to have their turn. */
export const REQUESTS_PER_LOOK = 128;

/** Answers of one client that are made before they are written and the others have their turn, in bytes. */
export const ANSWER_BYTES_PER_TURN = 64 * 1024;

/** How long a server that is closed waits for its clients to go, in milliseconds. */
export const GOODBYE_MS = 1_000;

/** How long a server that is closed waits for the handing over of its leadership, in ticks; then an election finds the next leader. */
export const HAND_OVER_TICKS_MAX = 10;

/** Answers that wait for a client before nothing more is read from it, in bytes. */
export const OUTBOX_PAUSE_BYTES = 1024 * 1024;

/** Answers and events that may wait for a client, in bytes; one that reads more slowly is disconnected, and its session goes on elsewhere. */
export const OUTBOX_BYTES_MAX = 64 * 1024 * 1024;

/** How long a client for which something waits may read nothing of it, in milliseconds, and as a share of its session's timeout; then it is disconnected. */
export const UNREAD_MS_MAX = 10_000;
export const UNREAD_SHARE_MAX = 1 / 3;

/** What all clients of a listener may make it keep together, in bytes: what they do not read, and what they have sent in part. */
export const LINKS_BYTES_MAX = 256 * 1024 * 1024;

/** What has come of a request counts from this on, in bytes. */
export const PART_BYTES_MIN = 4 * 1024;

/** How long a connection that the server has ended may take to read what was sent before, in milliseconds. */
export const LINGER_MS = 5_000;

/** Connections that a listener has open at a time. */
export const CONNECTIONS_MAX = 10_000;

/** Connections of one address of another machine, unless the options say otherwise. */
export const CONNECTIONS_PER_ADDRESS_MAX = 60;

/** The longest WebSocket message that is taken from a client, in bytes: a whole frame of the longest kind fits. */
export const WEBSOCKET_MESSAGE_BYTES_MAX = 1024 * 1024 + 4;

/** What one connection between servers may cost. */

/** What may wait for a server that does not read, in bytes; its connection is closed above that, and it begins again. */
export const PEER_OUTBOX_BYTES_MAX = 64 * 1024 * 1024;

/** Below this there is room for bulk, in bytes: `Channel.awaitRoom`. What the operating system has taken is not counted. */
export const PEER_ROOM_BYTES = 192 * 1024;

/** How long TCP waits before it asks whether a silent peer is still there, in milliseconds. */
export const KEEP_ALIVE_MS = 10_000;

/** How long connecting to a server may take, and its TLS handshake, in milliseconds. */
export const PEER_CONNECT_TIMEOUT_MS = 5_000;

/** How often a learner tries to reach a leader that does not listen yet, and the pauses in between, in milliseconds. */
export const LEARNER_TRIES = 5;
export const PEER_RETRY_MS_MIN = 50;
export const PEER_RETRY_MS_MAX = 1_000;

/** Connections that one port for servers has open at a time, for each server of the ensemble. */
export const CONNECTIONS_PER_PEER_MAX = 8;
