/** `quorate format`: founds an ensemble. */
import { parseArgs } from 'node:util';
import { formatStore } from '@quorate/node';
import { ExitCode, type Io, UsageError } from './io.js';

export const FORMAT_HELP = `quorate format --data DIR --name NAME: founds an ensemble in an empty directory

Once for each server that votes, before its first start, with the same name for all. A server that comes later, or whose disk was lost,
is not formatted: it is given everything by the others.
`;

export async function format(args: readonly string[], io: Io): Promise<ExitCode> {
  const { data, name } = parseArgs({ args: [...args], options: { data: { type: 'string' }, name: { type: 'string' } } }).values;
  if (data === undefined || name === undefined || name === '') throw new UsageError('format takes --data DIR and --name NAME');
  await formatStore(data, name);
  io.stdout.write(`${data} is the store of a voter of the new ensemble ${name}\n`);
  return ExitCode.OK;
}
