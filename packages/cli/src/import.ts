/** `quorate import`: what an Apache ZooKeeper has kept, for a server of ours. */
import { parseArgs } from 'node:util';
import { importApache } from '@quorate/node';
import { formatZxid } from '@quorate/protocol';
import { checkDataDirectory } from './given-directory.js';
import { ExitCode, type Io, UsageError } from './io.js';
import { ProgressLine } from './progress.js';

export const IMPORT_HELP = `quorate import APACHE-DIR --data DIR --name NAME [options]: takes over a data directory of Apache ZooKeeper

APACHE-DIR is the dataDir of a server that is stopped, or a copy of it; nothing in it changes. DIR exists and is empty, and becomes
the store of a voter of the new ensemble NAME.

  --data DIR           where the store is written
  --name NAME          the name of the ensemble, the same for all its servers
  --logs DIR           the dataLogDir, where it is another
  --ignore-digest      take a tree whose digest is not what Apache said
  --progress           say how far it is, also where stderr is no terminal
  --json               say in JSON what was imported

It ends with 0 when the store can be used, 1 when it cannot, and 2 when the options are wrong.
`;

const options = {
  data: { type: 'string' },
  name: { type: 'string' },
  logs: { type: 'string' },
  'ignore-digest': { type: 'boolean' },
  progress: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** Runs to its end; `io.stop` is not looked at, because a store that is half written is of no use. */
export async function importDirectory(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [directory, ...more] = positionals;
  const { data: dataDir, name: ensembleId, logs: logDirectory, 'ignore-digest': ignoreDigest } = values;
  if (directory === undefined || more.length > 0) throw new UsageError('import takes one directory of Apache ZooKeeper');
  if (dataDir === undefined) throw new UsageError('where shall the store be? Give --data DIR, which exists and is empty');
  if (ensembleId === undefined)
    throw new UsageError('import takes --name NAME: the name of the new ensemble, the same for all its servers');
  checkDataDirectory(dataDir);
  const line = new ProgressLine(io, values.progress);
  const imported = await importApache({ directory, logDirectory, dataDir, ensembleId, ignoreDigest, onProgress: line.onProgress }).finally(
    () => line.end(),
  );
  const { snapshot, spared, logs, digests, lastZxid, acceptedEpoch, currentEpoch, znodes, sessions } = imported;
  for (const { message } of spared) io.stderr.write(`not needed, and cannot be read: ${message}\n`);
  for (const { file, offset } of logs.filter(({ torn }) => torn))
    io.stderr.write(`${file} at byte ${offset}: what follows was not written to its end, and is left out\n`);
  if (values.json === true) {
    const files = { snapshot, logs: logs.map(({ file }) => file) };
    const numbers = { lastZxid: formatZxid(lastZxid), acceptedEpoch, currentEpoch, znodes, sessions, digests };
    io.stdout.write(`${JSON.stringify({ dataDir, ensembleId, ...numbers, ...files })}\n`);
    return ExitCode.OK;
  }
  io.stdout.write(
    [
      `${snapshot} and ${logs.reduce((sum, { txns }) => sum + txns, 0)} txns of ${logs.length} logs`,
      `${znodes} znodes, ${sessions} sessions; last txn ${formatZxid(lastZxid)}, epoch ${currentEpoch}`,
      `digest: ${digestText(digests)}`,
      `${dataDir} is the store of a voter of the new ensemble ${ensembleId}`,
      '',
    ].join('\n'),
  );
  return ExitCode.OK;
}

function digestText({ compared, agreed }: { readonly compared: number; readonly agreed: number }): string {
  if (compared === 0) return 'Apache has written none to compare with';
  return `compared ${compared} times, agreed ${agreed} times`;
}
