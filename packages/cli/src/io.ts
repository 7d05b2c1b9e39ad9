/** What a command speaks with, so that tests can run it within their own process. */
import type { Readable, Writable } from 'node:stream';

export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborted by SIGINT and SIGTERM: what runs ends with a goodbye. */
  readonly stop: AbortSignal;
}

/** What a command ends with. */
export const ExitCode = {
  OK: 0,
  /** What was asked for could not be done. */
  FAILED: 1,
  /** It was asked for in a way that makes no sense; what is wrong was said. */
  USAGE: 2,
} as const;

/** How a command ends. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The command line makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
