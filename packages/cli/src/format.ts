/** `quorate format`: founds an ensemble. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { formatStore } from '@quorate/node';
import { checkDataDirectory } from './given-directory.js';
import { ExitCode, type Io, UsageError } from './io.js';

export const FORMAT_HELP = `quorate format --data DIR --name NAME [--restore FILE]: founds an ensemble in an empty directory, which exists

Once for each server that votes, before its first start, with the same name for all. A server that comes later, or whose disk was lost,
is not formatted: it is given everything by the others.

With --restore the ensemble begins with what a backup holds: GET /commands/snapshot of an admin port of a server with
--admin-unrestricted. Give the same file for each voter, and end the servers and the clients of the ensemble that was backed up first.
`;

export async function format(args: readonly string[], io: Io): Promise<ExitCode> {
  const options = { data: { type: 'string' }, name: { type: 'string' }, restore: { type: 'string' } } as const;
  const { data, name, restore } = parseArgs({ args: [...args], options }).values;
  if (data === undefined || data === '' || name === undefined || name === '')
    throw new UsageError('format takes --data DIR and --name NAME');
  checkDataDirectory(data);
  const backup = restore === undefined ? undefined : await readFile(restore);
  io.stdout.write(`${data} is the store of a voter of the new ensemble ${await formatStore(data, name, backup)}\n`);
  return ExitCode.OK;
}
