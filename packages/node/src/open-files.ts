/**
 * How many files and connections the system lets this process have open at a time, and whether clients have left enough of them: a server that can open no file for its store
 * stops, and nobody who merely connects may bring that about.
 */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** What clients leave to the store, to peers and to everything else in the process; a quarter of what there is where that is less. */
const RESERVED_MAX = 256;
const RESERVED_SHARE = 1 / 4;

/** Infinite where the system does not say it: Linux alone does. */
export function openFilesMax(): number {
  try {
    const [, text] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return text === undefined ? Number.POSITIVE_INFINITY : Number(text);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** How many of so many clients may take. */
export function openForClients(filesMax: number): number {
  return filesMax - Math.min(RESERVED_MAX, filesMax * RESERVED_SHARE);
}

/** Whether a socket has the last number that clients may have, or a higher one. The system gives the lowest that is free, so that many are taken then. */
export function isBeyond(socket: Socket, numbers: number): boolean {
  // Node does not tell it otherwise; where it is none, there is no limit either.
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: number } | null };
  return (handle?.fd ?? -1) >= numbers;
}
