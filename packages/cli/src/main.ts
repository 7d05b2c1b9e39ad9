/** `quorate COMMAND …`: which command it is, and how it ends. */
import { FULL_VERSION } from '@quorate/node';
import { DOCTOR_HELP, doctor } from './doctor.js';
import { EXPORT_HELP, exportDirectory } from './export.js';
import { FORMAT_HELP, format } from './format.js';
import { IMPORT_HELP, importDirectory } from './import.js';
import { ExitCode, type Io, UsageError } from './io.js';
import { SERVE_HELP, serve } from './serve.js';
import { SHELL_HELP, shell } from './shell.js';

const HELP = `quorate: a ZooKeeper server, and a shell for any ZooKeeper

  quorate serve [zoo.cfg] [options]    run a server
  quorate format --data DIR --name NAME
                                       found an ensemble in an empty directory
  quorate shell [options] [command]    speak with a server
  quorate import APACHE-DIR …          take over a data directory of Apache ZooKeeper
  quorate export … APACHE-DIR          write one
  quorate doctor DIR                   say what is wrong with a data directory
  quorate version

quorate COMMAND --help says more.
`;

/** Runs a command to its end. It never throws: what goes wrong is written to `stderr`. */
export async function main(args: readonly string[], io: Io): Promise<ExitCode> {
  const [command, ...rest] = args;
  try {
    switch (command) {
      case 'serve':
        return await helpOr(SERVE_HELP, rest, io, serve);
      case 'format':
        return await helpOr(FORMAT_HELP, rest, io, format);
      case 'shell':
        return await helpOr(SHELL_HELP, rest, io, shell);
      case 'import':
        return await helpOr(IMPORT_HELP, rest, io, importDirectory);
      case 'export':
        return await helpOr(EXPORT_HELP, rest, io, exportDirectory);
      case 'doctor':
        return await helpOr(DOCTOR_HELP, rest, io, doctor);
      case 'version':
      case '--version':
        io.stdout.write(`${FULL_VERSION}\n`);
        return ExitCode.OK;
      case 'help':
      case '--help':
      case '-h':
        io.stdout.write(HELP);
        return ExitCode.OK;
      case undefined:
        io.stderr.write(HELP);
        return ExitCode.USAGE;
      default:
        throw new UsageError(`there is no command ${JSON.stringify(command)}: quorate help lists them`);
    }
  } catch (error) {
    const { message } = error as Error;
    io.stderr.write(`quorate: ${message}\n`);
    return isUsage(error) ? ExitCode.USAGE : ExitCode.FAILED;
  }
}

function helpOr(
  help: string,
  args: readonly string[],
  io: Io,
  run: (args: readonly string[], io: Io) => Promise<ExitCode>,
): Promise<ExitCode> {
  // What stands behind a command of the shell is the command's affair.
  if (args[0] !== '--help' && args[0] !== '-h') return run(args, io);
  io.stdout.write(help);
  return Promise.resolve(ExitCode.OK);
}

/** What `util.parseArgs`, an option's rule and a configuration file say is wrong. */
function isUsage(error: unknown): boolean {
  return error instanceof UsageError || error instanceof TypeError || (error instanceof Error && error.name === 'ZooCfgError');
}
