/** `quorate serve`: one server, until it is told to end. */
import { parseArgs } from 'node:util';
import { type Logger, type RunningServer, readZooCfg, type ServerConfig, startServer } from '@quorate/node';
import { checkDataDirectory } from './given-directory.js';
import { ExitCode, type Io, UsageError } from './io.js';

export const SERVE_HELP = `quorate serve [zoo.cfg] [options]: runs a ZooKeeper server until SIGINT or SIGTERM

With zoo.cfg, and myid in its dataDir, the server is what they say; options go before them.

  --data DIR           keep what must survive in DIR, which must exist
  --memory             keep everything in memory: it is lost with the process
  --host ADDRESS       address of the client port: 127.0.0.1, unless zoo.cfg says otherwise
  --port N             client port: 2181; 0 for any free one
  --sid N              the number of this server: 1
  --tick-time MS       the unit of all times, in milliseconds: 2000
  --words A,B          four-letter words that are answered: srvr; * for all
  --admin-port N       open the admin port, on 127.0.0.1
  --admin-unrestricted  let whoever reaches it see everything, take backups and reset counters, too
  --metrics-port N     open a port for Prometheus, on 127.0.0.1
  --websocket-port N   open a client port for WebSocket, on the address of the client port
  --websocket-origins A,B  pages that may connect to it, like https://app.example: none; * for all
  --insecure-peers     let servers speak without TLS over a network that other machines reach
  --audit              log who changes what
  --log                log to stderr, a line of JSON for each event

It ends with 0 when it was told to, 1 when it cannot go on, and 2 when the options or zoo.cfg are wrong.
`;

const options = {
  data: { type: 'string' },
  memory: { type: 'boolean' },
  host: { type: 'string' },
  port: { type: 'string' },
  sid: { type: 'string' },
  'tick-time': { type: 'string' },
  words: { type: 'string' },
  'admin-port': { type: 'string' },
  'admin-unrestricted': { type: 'boolean' },
  'metrics-port': { type: 'string' },
  'websocket-port': { type: 'string' },
  'websocket-origins': { type: 'string' },
  audit: { type: 'boolean' },
  'insecure-peers': { type: 'boolean' },
  log: { type: 'boolean' },
} as const;

type Parsed = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

/** Runs until `io.stop`. */
export async function serve(args: readonly string[], io: Io): Promise<ExitCode> {
  const config = configOf(args, io);
  const server = await startServer(config);
  const end = (): void => void server.close();
  if (io.stop.aborted) end();
  io.stop.addEventListener('abort', end);
  say(io, placesOf(server, config));
  server.ready().then(
    () => say(io, [`serving as ${server.status.mode}`]),
    () => {},
  );
  const failure = await server.ended;
  io.stop.removeEventListener('abort', end);
  if (failure === undefined) return ExitCode.OK;
  io.stderr.write(`quorate: the server has ended: ${failure.message}\n`);
  return ExitCode.FAILED;
}

function configOf(args: readonly string[], io: Io): ServerConfig {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [file, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`serve takes one file, not ${positionals.join(' ')}`);
  const { config, notes } = file === undefined ? { config: {}, notes: [] } : readZooCfg(file);
  for (const note of notes) io.stderr.write(`${file}: ${note}\n`);
  const { data, memory, host, port, sid, words, audit, log, 'tick-time': tickTime, 'metrics-port': metricsPort } = values;
  if (data !== undefined && memory === true) throw new UsageError('--data and --memory exclude each other');
  return {
    ...config,
    ...storeOf(config.dataDir, data, memory),
    ...(sid !== undefined && { sid: numberOf('--sid', sid) }),
    ...(tickTime !== undefined && { tickTimeMs: numberOf('--tick-time', tickTime) }),
    ...((host !== undefined || port !== undefined) && {
      client: { ...config.client, ...(host !== undefined && { host }), ...(port !== undefined && { port: numberOf('--port', port) }) },
    }),
    ...(words !== undefined && { words: words.split(',').map((word) => word.trim()) }),
    ...adminOf(config, values),
    ...(metricsPort !== undefined && { metrics: { port: numberOf('--metrics-port', metricsPort) } }),
    ...webSocketOf(config, values),
    ...(audit !== undefined && { audit }),
    ...(values['insecure-peers'] === true && { insecurePeers: true }),
    ...(log === true && { log: jsonLines(io) }),
  };
}

function adminOf({ admin }: ServerConfig, values: Parsed): Pick<ServerConfig, 'admin'> {
  const { 'admin-port': port, 'admin-unrestricted': unrestricted } = values;
  if (port === undefined && admin === undefined) {
    if (unrestricted === true) throw new UsageError('--admin-unrestricted needs --admin-port');
    return {};
  }
  return {
    admin: {
      ...admin,
      port: port === undefined ? (admin?.port as number) : numberOf('--admin-port', port),
      ...(unrestricted === true && { unrestricted }),
    },
  };
}

function webSocketOf({ webSocket, client }: ServerConfig, values: Parsed): Pick<ServerConfig, 'webSocket'> {
  const { 'websocket-port': port, 'websocket-origins': origins } = values;
  if (port === undefined && webSocket === undefined) {
    if (origins !== undefined) throw new UsageError('--websocket-origins needs --websocket-port');
    return {};
  }
  const host = values.host ?? webSocket?.host ?? (client === false ? undefined : client?.host);
  return {
    webSocket: {
      ...webSocket,
      ...(host !== undefined && { host }),
      port: port === undefined ? (webSocket?.port as number) : numberOf('--websocket-port', port),
      ...(origins !== undefined && { origins: origins.split(',') }),
    },
  };
}

function storeOf(
  configured: string | undefined,
  data: string | undefined,
  memory: boolean | undefined,
): Pick<ServerConfig, 'dataDir' | 'memory'> {
  if (memory === true) return { memory, dataDir: undefined };
  const dataDir = data ?? configured;
  if (dataDir === undefined || dataDir === '')
    throw new UsageError('where shall the data be kept? Give --data DIR; or --memory, to lose everything with the process');
  return { dataDir: checkDataDirectory(dataDir) };
}

function numberOf(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`${name} takes a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

function placesOf(server: RunningServer, { memory, dataDir }: ServerConfig): readonly string[] {
  const { sid, clientAddress, secureClientAddress, webSocketAddress, adminAddress, metricsAddress } = server;
  return [
    `server ${sid}, ${memory === true ? 'in memory: everything is lost with this process' : `data in ${dataDir}`}`,
    ...(clientAddress === undefined ? [] : [`clients ${clientAddress}`]),
    ...(secureClientAddress === undefined ? [] : [`clients by TLS ${secureClientAddress}`]),
    ...(webSocketAddress === undefined ? [] : [`clients by WebSocket ws://${webSocketAddress}`]),
    ...(adminAddress === undefined ? [] : [`admin http://${adminAddress}/commands`]),
    ...(metricsAddress === undefined ? [] : [`metrics http://${metricsAddress}/metrics`]),
  ];
}

function say(io: Io, lines: readonly string[]): void {
  for (const line of lines) io.stdout.write(`${line}\n`);
}

function jsonLines(io: Io): Logger {
  const write = (level: string, fields: object, message: string): void => {
    // An Error has no fields of its own that JSON would show.
    const plain = (_key: string, value: unknown): unknown =>
      value instanceof Error ? { name: value.name, message: value.message } : value;
    io.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, ...fields, message }, plain)}\n`);
  };
  return {
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  };
}
