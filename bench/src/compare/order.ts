/** What the load generator, a process of its own, is asked for and what it answers. */

/** A work: what the requests are. All data have 100 bytes. */
export const works = {
  read: 'getData',
  write: 'setData',
  create: 'create',
  mixed: '70 % getData, 30 % setData',
} as const;
export type Work = keyof typeof works;

/** So many sessions, each with so many requests that wait for their answer. */
export interface Load {
  readonly sessions: number;
  readonly outstanding: number;
}

export interface LoadOrder extends Load {
  /** The servers'; sessions are spread over them. */
  readonly ports: readonly number[];
  /** The servers' processes. */
  readonly pids: readonly number[];
  readonly work: Work;
  /** Before anything is counted. */
  readonly warmupMs: number;
  readonly timeMs: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What one operation costs the servers' processes together, in microseconds of processor time; NaN where the system does not tell. */
  readonly cpuUs: number;
}

/** What the requests are about is made by whoever asks for the load: so many znodes under `FOLDER`, and a folder for the creates of each session. */
export const FOLDER = '/compare';
export const ZNODES = 1_000;
export const DATA_BYTES = 100;

export function znode(index: number): string {
  return `${FOLDER}/n-${String(index % ZNODES).padStart(3, '0')}`;
}

export function createFolder(session: number): string {
  return `${FOLDER}/s-${session}`;
}
