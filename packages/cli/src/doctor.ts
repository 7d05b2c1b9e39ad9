/** `quorate doctor`: what is in a data directory, what is wrong with it, and what to do. */
import { parseArgs } from 'node:util';
import { type Examination, examineDataDirectory, type Finding, type Verdict } from '@quorate/node';
import { formatZxid } from '@quorate/protocol';
import { checkDirectory } from './given-directory.js';
import { ExitCode, type Io, UsageError } from './io.js';
import { bytesText, ProgressLine } from './progress.js';

export const DOCTOR_HELP = `quorate doctor DIR [options]: says what is in a data directory, and what is wrong with it

DIR is the store of a server of quorate, or the dataDir of one of Apache ZooKeeper. The server is stopped. Nothing changes.

  --logs DIR           the dataLogDir of Apache ZooKeeper, where it is another
  --progress           say how far it is, also where stderr is no terminal
  --json               say it in JSON

It ends with 0 when the directory is sound, 1 when it is damaged, and 2 when it cannot be looked at.
`;

const options = { logs: { type: 'string' }, progress: { type: 'boolean' }, json: { type: 'boolean' } } as const;

export async function doctor(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [directory, ...more] = positionals;
  if (directory === undefined || more.length > 0) throw new UsageError('doctor takes one data directory');
  checkDirectory(directory, 'give a data directory');
  const line = new ProgressLine(io, values.progress);
  let examination: Examination;
  try {
    examination = await examineDataDirectory({ directory, logDirectory: values.logs, onProgress: line.onProgress });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  } finally {
    line.end();
  }
  const { kind, verdict } = examination;
  const advice = adviceFor(kind, verdict, directory);
  io.stdout.write(
    values.json === true ? `${JSON.stringify(plain(directory, examination, advice))}\n` : text(directory, examination, advice),
  );
  return verdict === 'DAMAGED' ? ExitCode.FAILED : ExitCode.OK;
}

const WORDS: Readonly<Record<Verdict, string>> = { OK: 'OK', CUT_TAIL: 'OK, cut tail', SPARED: 'OK, spared', DAMAGED: 'DAMAGED' };

function text(directory: string, { kind, verdict, findings, files, state }: Examination, advice: string): string {
  const sum = files.reduce((bytes, file) => bytes + file.bytes, 0);
  const lines = [`${directory}: ${kind === 'quorate' ? 'a store of quorate' : 'a data directory of Apache ZooKeeper'}`];
  if (state !== undefined) {
    const { snapshotZxid, ensembleId } = state;
    if (verdict === 'DAMAGED') lines.push('  as far as it can be read:');
    if (kind === 'quorate')
      lines.push(`  ensemble   ${ensembleId ?? 'none: its server has no vote until a leader has given it everything'}`);
    lines.push(`  epochs     accepted ${state.acceptedEpoch}, current ${state.currentEpoch}`);
    lines.push(`  snapshot   ${snapshotZxid === undefined ? 'none' : formatZxid(snapshotZxid)}`);
    lines.push(`  last txn   ${formatZxid(state.lastZxid)}`);
    lines.push(`  tree       ${state.znodes} znodes, digest ${state.digest}`);
    lines.push(`  sessions   ${state.sessions}`);
  }
  lines.push(
    `  files      ${files.length}, ${bytesText(sum)}`,
    ...files.map(({ name, bytes }) => `             ${name} ${bytesText(bytes)}`),
  );
  lines.push(`verdict: ${WORDS[verdict]}`, ...findings.map((finding) => `  ${findingText(finding)}`), advice, '');
  return lines.join('\n');
}

function findingText({ verdict, file, offset, reason }: Finding): string {
  return `${WORDS[verdict].replace('OK, ', '')}: ${file} at byte ${offset}: ${reason}`;
}

function plain(directory: string, { state, ...rest }: Examination, advice: string): object {
  const zxids = state && {
    snapshotZxid: state.snapshotZxid === undefined ? null : formatZxid(state.snapshotZxid),
    lastZxid: formatZxid(state.lastZxid),
  };
  return { directory, ...rest, state: state === undefined ? null : { ...state, ...zxids }, advice };
}

/** What to do, and by which command. */
function adviceFor(kind: Examination['kind'], verdict: Verdict, directory: string): string {
  return kind === 'quorate' ? storeAdvice(verdict, directory) : apacheAdvice(verdict, directory);
}

function storeAdvice(verdict: Verdict, directory: string): string {
  switch (verdict) {
    case 'OK':
      return `Nothing is wrong: quorate serve --data ${directory}`;
    case 'CUT_TAIL':
      return `Nothing is lost, because nobody was told that it was safe. The next start cuts it off: quorate serve --data ${directory}`;
    case 'SPARED':
      return `Nothing is lost, because something else tells the same. The server goes on: quorate serve --data ${directory}. Look after the disk.`;
    case 'DAMAGED':
      return [
        `Keep a copy of ${directory}, and look after the disk.`,
        `Start it: quorate serve --data ${directory}. It has no vote until the other servers, also damaged ones, have given it what it has lost, or a leader everything.`,
        'Where all servers are started and none serves, nobody has all of it: put back a copy of the directory that is sound.',
      ].join('\n');
  }
}

function apacheAdvice(verdict: Verdict, directory: string): string {
  const command = `quorate import ${directory} --data DIR --name NAME`;
  switch (verdict) {
    case 'OK':
      return `All of it can be imported: ${command}`;
    case 'CUT_TAIL':
      return `What was not written to its end is left out, as Apache does: ${command}`;
    case 'SPARED':
      return `Nothing is lost, because the logs reach back to the snapshot before: ${command}`;
    case 'DAMAGED':
      return [
        'It cannot be imported. Take the directory of another server of the ensemble that has the highest last txn.',
        'Where the digest alone is another and you know why: quorate import --ignore-digest',
      ].join('\n');
  }
}
