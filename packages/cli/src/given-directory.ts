/** Directories that a command is given. */
import { accessSync, constants, statSync } from 'node:fs';
import { UsageError } from './io.js';

/** @throws UsageError where there is none, or where it cannot be looked at. */
export function checkDirectory(directory: string, other: string): string {
  const kind = reachable(() => statSync(directory, { throwIfNoEntry: false }), directory);
  if (kind === undefined) throw new UsageError(`there is no directory ${directory}: ${other}`);
  if (!kind.isDirectory()) throw new UsageError(`${directory} is no directory: ${other}`);
  return directory;
}

/**
 * What `--data` names. One that is not there may be one that is not mounted, so it is never made.
 *
 * @throws UsageError where it is no directory that this process may use.
 */
export function checkDataDirectory(dataDir: string): string {
  checkDirectory(dataDir, 'make one, or give another by --data DIR');
  reachable(() => accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK), dataDir);
  return dataDir;
}

function reachable<T>(look: () => T, directory: string): T {
  try {
    return look();
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(`${directory} cannot be used (${message}): give it to the user of this process, or give another`);
  }
}
