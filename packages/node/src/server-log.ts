/** Where a server says what it does, as a program logs it: a logger is passed in, and without one nothing is said. */
import { channel } from 'node:diagnostics_channel';

/** A logger as pino has it: fields first, then a message. `console` is none, because it takes the fields for the message. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silent: Logger = { info() {}, warn() {}, error() {} };

/**
 * What `node:diagnostics_channel` tells of every server in this process; each message has the server's `sid`.
 *
 * - `quorate:server.status`: `status`, as `RunningServer.status` gives it, after each change.
 * - `quorate:server.failure`: `error`; the server has stopped.
 * - `quorate:server.audit`: `entry`, as in the audit log; of servers that were started while somebody had subscribed, or with `audit`.
 */
export const channels = {
  status: channel('quorate:server.status'),
  failure: channel('quorate:server.failure'),
  audit: channel('quorate:server.audit'),
} as const;
