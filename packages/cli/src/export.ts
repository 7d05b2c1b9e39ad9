/** `quorate export`: the store of a server of ours, for an Apache ZooKeeper. */
import { parseArgs } from 'node:util';
import { exportApache } from '@quorate/node';
import { formatZxid } from '@quorate/protocol';
import { checkDirectory } from './given-directory.js';
import { ExitCode, type Io, UsageError } from './io.js';
import { ProgressLine } from './progress.js';

export const EXPORT_HELP = `quorate export --data DIR APACHE-DIR [options]: writes a data directory for Apache ZooKeeper

DIR is the store of a server that is stopped; it stays as it is. APACHE-DIR is empty or not there yet; it is what dataDir names in
zoo.cfg, and an ensemble of Apache needs its myid in it.

  --data DIR           the store
  --progress           say how far it is, also where stderr is no terminal
  --json               say in JSON what was exported

It ends with 0 when it is done, 1 when it cannot be done, and 2 when the options are wrong.
`;

const options = { data: { type: 'string' }, progress: { type: 'boolean' }, json: { type: 'boolean' } } as const;

/** Runs to its end; `io.stop` is not looked at, because a directory that is half written is of no use. */
export async function exportDirectory(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [directory, ...more] = positionals;
  const { data: dataDir } = values;
  if (dataDir === undefined) throw new UsageError('what shall be exported? Give --data DIR, the store of a server that is stopped');
  if (directory === undefined || more.length > 0)
    throw new UsageError('export takes one directory to write, which is empty or not there yet');
  checkDirectory(dataDir, 'give the store of a server that is stopped by --data DIR');
  const line = new ProgressLine(io, values.progress);
  const exported = await exportApache({ dataDir, directory, onProgress: line.onProgress }).finally(() => line.end());
  const { snapshot, lastZxid, currentEpoch, znodes, sessions } = exported;
  if (values.json === true) io.stdout.write(`${JSON.stringify({ ...exported, lastZxid: formatZxid(lastZxid) })}\n`);
  else io.stdout.write(`${znodes} znodes, ${sessions} sessions; last txn ${formatZxid(lastZxid)}, epoch ${currentEpoch}\n${snapshot}\n`);
  return ExitCode.OK;
}
