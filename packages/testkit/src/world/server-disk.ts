/** The disk of a simulated server, whatever it is made of, and what can be done to it. */
import type { Storage } from '@quorate/zab';
import type { Part } from './disk-content.js';
import type { SimProcess } from './sim-process.js';

export interface ServerDisk {
  /** Times the usual duration of a flush. */
  slowness: number;
  /** Nothing can be added that needs more room. */
  isFull: boolean;
  readonly hasSnapshot: boolean;
  /** How many entries of its log can be named to `rot`. */
  readonly entries: number;
  /** Whether a server that starts from this counts. */
  readonly counts: boolean;
  /** Opens the disk for a new life of its server. */
  open(process: SimProcess): Storage;
  /** From now on the disk is as good as it should be, also with what it is at. */
  calm(): void;
  /** The next flush fails. */
  failOnce(error: string): void;
  /** The disk of a server that is down comes back empty. */
  wipe(): void;
  /** A part of the disk of a server that is down becomes unreadable; `at` is the place of an entry. */
  rot(part: Part, at?: number): void;
  /** What is safe now, to come back later. */
  remember(): EarlierContent;
}

/** What a disk had, as in a backup. */
export interface EarlierContent {
  readonly isRotten: boolean;
  readonly isMarked: boolean;
  /** The disk of a server that is down has this again; nobody can tell from it alone. */
  restore(): void;
}
