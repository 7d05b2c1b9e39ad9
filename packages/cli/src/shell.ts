/** `quorate shell`: zkCli.sh over our client, one command or a conversation. */
import { createInterface, type Interface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Client, isFinal } from '@quorate/client';
import { connect } from '@quorate/node';
import { isZooKeeperError } from '@quorate/protocol';
import { ExitCode, type Io, UsageError } from './io.js';
import { type Answer, type Command, commands } from './shell-commands.js';
import { complete } from './shell-completion.js';
import { errorText, eventText } from './shell-text.js';
import { wordsOf } from './shell-words.js';

export const SHELL_HELP = `quorate shell [options] [command]: speaks with a ZooKeeper server

Without a command it reads commands, a line each, from a terminal or from its input.

  -server HOST:PORT,…   where to connect: 127.0.0.1:2181
  -timeout MS           the session timeout to ask for: 30000
  -r                    put up with a server that can only read
  --json                show each answer as a line of JSON

Commands, beside help, history and quit:

${[...commands.values()].map(({ usage }) => `  ${usage}\n`).join('')}
With a command it ends with 0 where that was done, 1 where it was not, and 2 where it makes no sense.
`;

/** How long it tries to connect for one command, or for the first one, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
const SESSION_TIMEOUT_MS = 30_000;
const HISTORY_LINES = 1_000;

interface Options {
  readonly hosts: string;
  readonly sessionTimeoutMs: number;
  readonly canBeReadOnly: boolean;
  readonly json: boolean;
  readonly command: readonly string[];
}

export async function shell(args: readonly string[], io: Io): Promise<ExitCode> {
  const options = optionsOf(args);
  const { hosts, sessionTimeoutMs, canBeReadOnly, command } = options;
  const signal = AbortSignal.any([io.stop, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
  const client = await connect(hosts, { sessionTimeoutMs, canBeReadOnly, signal }).catch((error) => {
    throw signal.aborted ? new Error(`no server of ${hosts} answers`) : error;
  });
  try {
    const session = new Shell(client, io, options);
    return await (command.length > 0 ? session.runOnce(command) : session.converse());
  } finally {
    await client.close({ signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) }).catch(() => {});
  }
}

/** Options come first: what begins with the command is the command's. They have one dash, as for zkCli.sh, or two. */
function optionsOf(args: readonly string[]): Options {
  let [hosts, timeout, canBeReadOnly, json, at] = ['127.0.0.1:2181', SESSION_TIMEOUT_MS, false, false, 0];
  for (; args[at]?.startsWith('-'); at++) {
    const name = (args[at] as string).replace(/^--?/, '');
    if (name === 'server') hosts = valueOf(args, ++at, 'server');
    else if (name === 'timeout') timeout = Number(valueOf(args, ++at, 'timeout'));
    else if (name === 'r') canBeReadOnly = true;
    else if (name === 'json') json = true;
    else throw new UsageError(`there is no option ${args[at]}: quorate shell --help lists them`);
  }
  return { hosts, sessionTimeoutMs: timeout, canBeReadOnly, json, command: args.slice(at) };
}

function valueOf(args: readonly string[], at: number, name: string): string {
  const value = args[at];
  if (value === undefined) throw new UsageError(`-${name} needs a value`);
  return value;
}

class Shell {
  readonly #client: Client;
  readonly #io: Io;
  readonly #options: Options;
  readonly #history: string[] = [];

  constructor(client: Client, io: Io, options: Options) {
    this.#client = client;
    this.#io = io;
    this.#options = options;
  }

  async runOnce(words: readonly string[]): Promise<ExitCode> {
    return this.#run(words);
  }

  /** Until `quit`, the end of the input, or the end of the session. A command that fails does not end it, and is not what it ends with. */
  async converse(): Promise<ExitCode> {
    const lines = this.#openLines();
    const end = (): void => lines.close();
    this.#io.stop.addEventListener('abort', end);
    const stopListening = this.#client.onState((state) => {
      if (isFinal(state)) end();
    });
    this.#prompt(lines);
    for await (const line of lines) {
      if (!(await this.#takeLine(line))) break;
      this.#prompt(lines);
    }
    stopListening();
    this.#io.stop.removeEventListener('abort', end);
    lines.close();
    if (!isFinal(this.#client.state)) return ExitCode.OK;
    this.#say(this.#io.stderr, `the session has ended: ${this.#client.state}`);
    return ExitCode.FAILED;
  }

  #openLines(): Interface {
    const { stdin, stdout } = this.#io;
    const terminal = (stdout as { isTTY?: boolean }).isTTY === true;
    return createInterface({
      input: stdin,
      ...(terminal && { output: stdout }),
      terminal,
      historySize: HISTORY_LINES,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        complete(this.#client, line).then(
          (result) => done(null, result),
          () => done(null, [[], line]),
        );
      },
    });
  }

  #prompt(lines: Interface): void {
    if (!lines.terminal) return;
    lines.setPrompt(`[zk: ${this.#options.hosts}(${this.#client.state}) ${this.#history.length}] `);
    lines.prompt();
  }

  /** False where that was the last one. */
  async #takeLine(line: string): Promise<boolean> {
    let words: string[];
    try {
      words = wordsOf(line);
    } catch (error) {
      this.#say(this.#io.stderr, (error as Error).message);
      return true;
    }
    const [name] = words;
    if (name === undefined) return true;
    if (name === 'quit' || name === 'close') return false;
    // What was proved is a secret.
    this.#history.push(name === 'addauth' ? `addauth ${words[1] ?? ''} …` : line.trim());
    if (this.#history.length > HISTORY_LINES) this.#history.shift();
    if (name === 'help') this.#say(this.#io.stdout, helpText());
    else if (name === 'history') this.#say(this.#io.stdout, this.#history.map((each, index) => `${index} - ${each}`).join('\n'));
    else await this.#run(words);
    return true;
  }

  async #run([name = '', ...args]: readonly string[]): Promise<ExitCode> {
    try {
      const command = commands.get(name);
      if (command === undefined) throw new UsageError(`there is no command ${JSON.stringify(name)}: help lists them`);
      this.#show(await this.#call(command, args));
      return ExitCode.OK;
    } catch (error) {
      this.#showError(error);
      return error instanceof UsageError ? ExitCode.USAGE : ExitCode.FAILED;
    }
  }

  #call({ usage, args: [min, max], options = {}, run }: Command, words: readonly string[]): Promise<Answer> {
    const { values, positionals } = parsed(words, options, usage);
    if (positionals.length < min || positionals.length > max) throw new UsageError(usage);
    return run({
      client: this.#client,
      values: values as Readonly<Record<string, string | boolean | undefined>>,
      args: positionals,
      onEvent: (event) => {
        if (this.#options.json) this.#say(this.#io.stdout, JSON.stringify({ event }));
        else this.#say(this.#io.stdout, eventText(event));
      },
    });
  }

  #show({ text, json }: Answer): void {
    if (this.#options.json) this.#say(this.#io.stdout, JSON.stringify(json));
    else if (text !== '') this.#say(this.#io.stdout, text);
  }

  #showError(error: unknown): void {
    const { stdout, stderr } = this.#io;
    if (!this.#options.json || error instanceof UsageError) return this.#say(stderr, errorText(error));
    const code = isZooKeeperError(error) ? error.code : undefined;
    this.#say(stdout, JSON.stringify({ error: { code, message: (error as Error).message } }));
  }

  #say(to: Io['stdout'], text: string): void {
    to.write(`${text}\n`);
  }
}

function parsed(words: readonly string[], options: NonNullable<Command['options']>, usage: string): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}

function helpText(): string {
  return [...[...commands.values()].map(({ usage }) => `\t${usage}`), '\thistory', '\tquit'].join('\n');
}
