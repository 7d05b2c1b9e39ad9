/** What a server of a process of its own is made of, and its rules. */
import {
  type ChosenOptions,
  checkChosenOption,
  checkOption,
  checkWholeOption,
  type Group,
  type Sid,
  type Storage,
  type Transport,
} from '@quorate/server';
import type { ClientTls } from './client-tls.js';
import { WORDS } from './four-letter-words.js';
import type { ListenOptions } from './listen.js';
import type { WebsocketListenOptions } from './listen-websocket.js';
import type { PeerAddress } from './peer-address.js';
import type { PeerTls } from './peer-tls.js';
import type { Logger } from './server-log.js';

/** One server of an ensemble, and where it is (`server.N=host:quorumPort:electionPort`). */
export interface ServerAddress extends PeerAddress {
  readonly sid: Sid;
  /** It follows without a vote; false when absent. */
  readonly observer?: boolean | undefined;
}

/** A port for HTTP. */
export interface HttpPort {
  /** The address to bind; `127.0.0.1` when absent. */
  readonly host?: string | undefined;
  /** 0 to 65,535; 0 takes any free port. */
  readonly port: number;
}

/** The admin port (ZooKeeper: `AdminServer`). */
export interface AdminConfig extends HttpPort {
  /**
   * Whether it also answers what reveals data or who is connected, and what changes something; false when absent: whoever reaches the port may
   * ask for it, so that the port must be closed to others.
   */
  readonly unrestricted?: boolean | undefined;
}

export interface ServerConfig extends ChosenOptions {
  /** This server (`myid`), 1 to 254; 1 when absent. */
  readonly sid?: Sid | undefined;
  /** Every server of the ensemble, this one included; a server that stands alone when absent. */
  readonly servers?: readonly ServerAddress[] | undefined;
  /** Voters in groups and with weights; a majority decides when absent. */
  readonly groups?: readonly Group[] | undefined;
  /** The directory where everything is that must survive. Either this or `memory` must be given. */
  readonly dataDir?: string | undefined;
  /** True for a server that forgets everything with its process. */
  readonly memory?: boolean | undefined;
  /** The client port, 2181 of 127.0.0.1 unless it says otherwise; false for none. */
  readonly client?: Omit<ListenOptions, 'tls' | 'words'> | false | undefined;
  /** A client port that speaks TLS; none when absent (`secureClientPort`). */
  readonly secureClient?: (Omit<ListenOptions, 'words'> & { readonly tls: ClientTls }) | undefined;
  /** A client port for WebSocket, which browsers can reach; none when absent. */
  readonly webSocket?: WebsocketListenOptions | undefined;
  /** The four-letter words that are answered (`4lw.commands.whitelist`); `['srvr']` when absent, and `isro` too in read-only mode. `['*']` for all. */
  readonly words?: readonly string[] | undefined;
  /** The admin port; none when absent. */
  readonly admin?: AdminConfig | undefined;
  /** A port for Prometheus; none when absent. */
  readonly metrics?: HttpPort | undefined;
  /** Whether changes are told to the logger, each with who made it (`audit.enable`); false when absent. */
  readonly audit?: boolean | undefined;
  /** Nothing is logged when absent. */
  readonly log?: Logger | undefined;
  /** TLS between the servers; none when absent (`sslQuorum`). */
  readonly peerTls?: PeerTls | undefined;
  /** Whether servers may speak without TLS over a network that other machines reach; false when absent. */
  readonly insecurePeers?: boolean | undefined;
  /** How this server reaches its peers, where that is not by TCP. */
  readonly transport?: (() => Transport) | undefined;
  /** Where it keeps what must survive, in place of `dataDir` and `memory`. */
  readonly storage?: (() => Storage) | undefined;
}

const booleans: ReadonlySet<string> = new Set(['memory', 'audit', 'insecurePeers']);
const functions: ReadonlySet<string> = new Set(['transport', 'storage']);
/** Checked by whoever takes them apart. */
const objects: ReadonlySet<string> = new Set(['secureClient', 'webSocket', 'peerTls', 'admin', 'metrics', 'log', 'groups']);

/** @throws TypeError that names the option and its rule, also for an option that does not exist. */
export function checkServerConfig(config: ServerConfig): void {
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined || checkChosenOption(name, value)) continue;
    if (name === 'sid') checkWholeOption(name, value, [1, 254]);
    else if (booleans.has(name)) checkOption(typeof value === 'boolean', name, 'true or false', value);
    else if (functions.has(name)) checkOption(typeof value === 'function', name, 'a function', value);
    else if (objects.has(name)) checkOption(typeof value === 'object' && value !== null, name, 'an object', value);
    else if (name === 'client')
      checkOption(value === false || (typeof value === 'object' && value !== null), name, 'an object or false', value);
    else if (name === 'dataDir') checkOption(typeof value === 'string' && value !== '', name, 'the path of a directory', value);
    else if (name === 'words') checkWords(value);
    else if (name === 'servers') checkServers(value as readonly ServerAddress[], config.sid ?? 1);
    else throw new TypeError(`${name} is not an option of a server`);
  }
  checkStore(config);
  for (const [name, port] of [['admin', config.admin] as const, ['metrics', config.metrics] as const])
    if (port !== undefined) checkWholeOption(`${name}.port`, port.port, [0, 65_535]);
}

function checkStore({ dataDir, memory = false, storage }: ServerConfig): void {
  const given = [dataDir !== undefined, memory, storage !== undefined].filter(Boolean).length;
  if (given === 0)
    throw new TypeError('dataDir must be given, a directory for what must survive; or memory: true, to lose everything with the process');
  if (given > 1) throw new TypeError('dataDir, memory and storage exclude each other: a server has one store');
}

function checkWords(value: unknown): void {
  if (!Array.isArray(value)) throw new TypeError("words must be an array, like ['srvr', 'mntr'] or ['*']");
  for (const word of value) checkOption(word === '*' || WORDS.has(word as string), 'words', `made of ${[...WORDS].join(', ')} or *`, word);
}

function checkServers(servers: readonly ServerAddress[], sid: Sid): void {
  checkOption(Array.isArray(servers) && servers.length > 0, 'servers', 'an array with every server of the ensemble', servers);
  const seen = new Set<Sid>();
  for (const server of servers) {
    checkWholeOption('servers: sid', server.sid, [1, 254]);
    if (seen.has(server.sid)) throw new TypeError(`servers: server ${server.sid} is named twice`);
    seen.add(server.sid);
    checkOption(
      typeof server.host === 'string' && server.host !== '',
      `servers: host of server ${server.sid}`,
      'an address or a name',
      server.host,
    );
    checkWholeOption(`servers: quorumPort of server ${server.sid}`, server.quorumPort, [1, 65_535]);
    checkWholeOption(`servers: electionPort of server ${server.sid}`, server.electionPort, [1, 65_535]);
  }
  if (!seen.has(sid)) throw new TypeError(`servers: server ${sid}, which is this one, is missing`);
  if (servers.every(({ observer }) => observer === true)) throw new TypeError('servers: one at least must vote');
}
