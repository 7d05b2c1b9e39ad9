/** The version, as four-letter words and the admin port give it. Tools read from its first part what a server can do, so that is the ZooKeeper we are compared with. */
export const SERVER_VERSION = '3.8.0-quorate-0.1.0';

/** When that was made, as the clients expect it that read a version: `MM/DD/YYYY HH:MM TZ`. */
const BUILT = '11/26/2026 00:00 GMT';

/** ZooKeeper: class `Version`. */
export const FULL_VERSION = `${SERVER_VERSION}, built on ${BUILT}`;
