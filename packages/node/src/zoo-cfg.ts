/**
 * ZooKeeper's configuration file, for a server of ours (class `QuorumPeerConfig`).
 *
 * Every key is taken, or taken with a note that it changes nothing here, or refused with what to do instead: none is passed over.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Group, Sid } from '@quorate/server';
import type { ClientTls } from './client-tls.js';
import { WORDS } from './four-letter-words.js';
import { type Property, parseProperties } from './java-properties.js';
import type { ListenOptions } from './listen.js';
import type { ServerAddress, ServerConfig } from './server-config.js';
import { parseServerLine } from './zoo-cfg-server-line.js';

/** A file that cannot be taken. `line` is undefined where something is missing. */
export class ZooCfgError extends Error {
  override readonly name = 'ZooCfgError';
  readonly file: string;
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, message: string) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${message}`);
    this.file = file;
    this.line = line;
  }
}

export interface ZooCfg {
  readonly config: ServerConfig;
  /** Keys that change nothing here, with why; a line for each. */
  readonly notes: readonly string[];
}

/** Reads a file, by its path; for tests by what is in it. */
export type ReadText = (path: string) => string;

/**
 * A server's configuration out of `zoo.cfg`, and in an ensemble its sid out of `myid` in the data directory.
 *
 * @throws ZooCfgError with the line and what to do.
 */
export function readZooCfg(path: string, read: ReadText = (file) => readFileSync(file, 'utf8')): ZooCfg {
  const reader = new ZooCfgReader(path, read);
  return reader.read();
}

const ANY_NUMBER = 0x7fff_ffff;
const ADMIN_PORT = 8_080;
const METRICS_PORT = 7_000;

/** What changes nothing here, and why. */
const notes: ReadonlyMap<string, string> = new Map([
  ['autopurge.snapRetainCount', 'what is not needed any more is removed by the server itself'],
  ['autopurge.purgeInterval', 'what is not needed any more is removed by the server itself'],
  ['preAllocSize', 'the log reserves its space by itself'],
  ['extendedTypesEnabled', 'znodes with a TTL are always there'],
  ['standaloneEnabled', 'a server without other servers stands alone'],
  ['quorumListenOnAllIPs', 'the address of server.N is the one that is bound'],
  ['syncEnabled', 'an observer always writes what it applies'],
  ['metricsProvider.exportJvmInfo', 'there is no JVM'],
]);

/** What can only be as it is here: the value that is taken, and what to do about another. */
const fixed: ReadonlyMap<string, readonly [value: string, what: string]> = new Map([
  ['electionAlg', ['3', 'there is one election algorithm: leave it out']],
  ['leaderServes', ['yes', 'a leader serves clients: leave it out']],
  ['forceSync', ['yes', 'what is acknowledged is on disk, always: leave it out, or start with --memory for tests']],
  ['skipACL', ['no', 'ACLs are always checked: leave it out, and use superDigest for what must see everything']],
  ['reconfigEnabled', ['false', 'the ensemble cannot be changed while it runs: leave it out']],
  ['jute.maxbuffer', ['1048575', 'a request may have 1,048,575 bytes: leave it out']],
  ['admin.commandURL', ['/commands', 'the commands are at /commands: leave it out']],
]);

/** What a key may begin with: Java's system properties do. */
const SYSTEM = 'zookeeper.';

/** Keys of the form name.N. */
const NUMBERED = /^(server|group|weight)\.(\d+)$/;

type Listen = { -readonly [Name in keyof ListenOptions]: ListenOptions[Name] };
type Draft = { -readonly [Name in keyof ServerConfig]: ServerConfig[Name] };

class ZooCfgReader {
  readonly #file: string;
  readonly #read: ReadText;
  /** By the key, without the `zookeeper.` that a system property begins with. */
  readonly #properties = new Map<string, Property>();
  readonly #servers: ServerAddress[] = [];
  readonly #clientOf = new Map<Sid, { readonly host: string | undefined; readonly port: number; readonly property: Property }>();
  readonly #groups = new Map<number, readonly Sid[]>();
  readonly #weights = new Map<Sid, number>();
  readonly #notes: string[] = [];
  readonly #config: Draft = {};
  /** Of the file that is being read: the properties of a dynamic file have its lines. */
  #now: string;

  constructor(file: string, read: ReadText) {
    this.#file = file;
    this.#now = file;
    this.#read = read;
  }

  read(): ZooCfg {
    this.#collect(this.#file);
    for (const property of this.#properties.values()) this.#takeNumbered(property);
    this.#takeTimes();
    this.#takeStore();
    this.#takeEnsemble();
    this.#takePeerTls();
    this.#takePorts();
    this.#takeRest();
    const unknown = this.#properties.values().next().value;
    if (unknown !== undefined) throw this.#error(unknown, `${unknown.key} is not known here: see docs/operations.md for the keys that are`);
    return { config: this.#config, notes: this.#notes };
  }

  #collect(file: string): void {
    this.#now = file;
    for (const property of parseProperties(this.#text(file))) {
      const name = property.key.startsWith(SYSTEM) ? property.key.slice(SYSTEM.length) : property.key;
      const before = this.#properties.get(name);
      if (before !== undefined) throw this.#error(property, `${before.key} stands in line ${before.line} already: remove one of them`);
      this.#properties.set(name, property);
    }
    const dynamic = this.#take('dynamicConfigFile');
    if (dynamic !== undefined) this.#collect(dynamic.value);
    this.#now = this.#file;
    this.#take('version');
  }

  #text(file: string): string {
    try {
      return this.#read(file);
    } catch (error) {
      throw new ZooCfgError(file, undefined, `cannot be read: ${(error as Error).message}`);
    }
  }

  #takeNumbered(property: Property): void {
    const match = NUMBERED.exec(property.key);
    if (match === null) return;
    const [, name, digits] = match;
    const number = Number(digits);
    this.#properties.delete(property.key);
    if (name === 'server') this.#addServer(number, property);
    else if (name === 'group')
      this.#groups.set(
        number,
        property.value.split(':').map((part) => this.#numberIn(property, part, 1, 254)),
      );
    else this.#weights.set(number, this.#numberIn(property, property.value, 0, ANY_NUMBER));
  }

  #addServer(sid: Sid, property: Property): void {
    if (sid < 1 || sid > 254) throw this.#error(property, `a server has a number from 1 to 254, not ${sid}`);
    const line = parseServerLine(property.value);
    if (typeof line === 'string') throw this.#error(property, line);
    const { host, quorumPort, electionPort, observer, client } = line;
    this.#servers.push({ sid, host, quorumPort, electionPort, ...(observer && { observer }) });
    if (client !== undefined) this.#clientOf.set(sid, { ...client, property });
  }

  #takeTimes(): void {
    const config = this.#config;
    config.tickTimeMs = this.#number('tickTime', 1, 60_000);
    config.initLimit = this.#number('initLimit', 1, 10_000);
    config.syncLimit = this.#number('syncLimit', 1, 10_000);
    config.snapshotEvery = this.#number('snapCount', 2, Number.MAX_SAFE_INTEGER);
    // ZooKeeper says −1 for its default.
    config.minSessionTimeoutMs = positive(this.#number('minSessionTimeout', -1, ANY_NUMBER));
    config.maxSessionTimeoutMs = positive(this.#number('maxSessionTimeout', -1, ANY_NUMBER));
    config.containerCheckIntervalMs = this.#number('znode.container.checkIntervalMs', 1, ANY_NUMBER);
    config.containersPerMinuteMax = this.#number('znode.container.maxPerMinute', 1, ANY_NUMBER);
    config.containerNeverUsedMaxMs = this.#number('znode.container.maxNeverUsedIntervalMs', 0, Number.MAX_SAFE_INTEGER);
  }

  #takeStore(): void {
    const dataDir = this.#take('dataDir');
    const dataLogDir = this.#take('dataLogDir');
    if (dataDir === undefined) throw new ZooCfgError(this.#file, undefined, 'dataDir is missing: the directory for what must survive');
    if (dataLogDir !== undefined && dataLogDir.value !== dataDir.value)
      throw this.#error(dataLogDir, 'log and snapshots are in one directory here: leave dataLogDir out, and put dataDir on the fast disk');
    this.#config.dataDir = dataDir.value;
  }

  #takeEnsemble(): void {
    const peerType = this.#take('peerType');
    if (this.#servers.length === 0) {
      const [group] = this.#groups.keys();
      if (group !== undefined || this.#weights.size > 0) throw new ZooCfgError(this.#file, undefined, 'group.N and weight.N need server.N');
      return;
    }
    this.#config.servers = this.#servers.toSorted((a, b) => a.sid - b.sid);
    this.#config.sid = this.#myid();
    const own = this.#servers.find(({ sid }) => sid === this.#config.sid);
    if (own === undefined)
      throw new ZooCfgError(this.#file, undefined, `server.${this.#config.sid} is missing: myid says that it is this one`);
    const isObserver = own.observer === true;
    if (peerType !== undefined && (peerType.value.toLowerCase() === 'observer') !== isObserver)
      throw this.#error(
        peerType,
        `server.${own.sid} ${isObserver ? 'ends in :observer' : 'does not end in :observer'}: peerType must say the same`,
      );
    if (this.#groups.size > 0) this.#config.groups = this.#groupsOf();
  }

  #takeWords(): readonly string[] | undefined {
    const property = this.#take('4lw.commands.whitelist');
    if (property === undefined) return undefined;
    const words = property.value
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
    const unknown = words.find((word) => word !== '*' && !WORDS.has(word));
    if (unknown !== undefined) throw this.#error(property, `${unknown} is no four-letter word: there are ${[...WORDS].join(', ')} and *`);
    return words;
  }

  #takePeerTls(): void {
    const enabled = this.#take('sslQuorum');
    const keys = this.#pem('ssl.quorum.keyStore');
    const trust = this.#pem('ssl.quorum.trustStore');
    if (enabled?.value.toLowerCase() !== 'true') return;
    if (keys === undefined || trust === undefined)
      throw this.#error(enabled, 'needs ssl.quorum.keyStore.location and ssl.quorum.trustStore.location, each a PEM file');
    if (keys.password !== undefined) throw this.#error(enabled, 'the key of ssl.quorum.keyStore.location must have no password');
    this.#config.peerTls = { key: keys.text, cert: keys.text, ca: trust.text };
  }

  #myid(): Sid {
    const file = join(this.#config.dataDir as string, 'myid');
    let text: string;
    try {
      text = this.#read(file).trim();
    } catch {
      throw new ZooCfgError(
        file,
        undefined,
        'is missing: it says which of the servers this one is. Write its number into it: echo 1 > myid',
      );
    }
    if (!/^\d{1,3}$/.test(text))
      throw new ZooCfgError(file, undefined, `holds the number of this server and nothing else, not ${JSON.stringify(text)}`);
    return Number(text);
  }

  #groupsOf(): readonly Group[] {
    return [...this.#groups.values()].map((sids) => ({ weights: new Map(sids.map((sid) => [sid, this.#weights.get(sid) ?? 1])) }));
  }

  #takePorts(): void {
    const share: Listen = {
      connectionsPerAddressMax: unlimited(this.#number('maxClientCnxns', 0, ANY_NUMBER)),
      connectionsMax: unlimited(this.#number('maxCnxns', 0, ANY_NUMBER)),
    };
    const own = this.#clientOf.get(this.#config.sid ?? 0);
    const clientPort = this.#take('clientPort');
    const port = clientPort === undefined ? own?.port : this.#numberIn(clientPort, clientPort.value, 1, 65_535);
    if (clientPort !== undefined && own !== undefined && own.port !== port)
      throw this.#error(clientPort, `server.${this.#config.sid} in line ${own.property.line} says ${own.port}: say it once`);
    const host = this.#take('clientPortAddress')?.value ?? own?.host ?? '0.0.0.0';
    this.#config.client = port === undefined ? false : { ...share, host, port };
    this.#takeSecurePort(share, host);
    if (this.#config.client === false && this.#config.secureClient === undefined)
      throw new ZooCfgError(this.#file, undefined, 'clientPort is missing: 2181 is the usual one');
    this.#takeWebSocket(share, host);
    this.#takeAdmin();
  }

  /** Keys of ours: ZooKeeper has no such port. */
  #takeWebSocket(share: Listen, clientHost: string): void {
    const port = this.#number('quorate.webSocketPort', 0, 65_535);
    const host = this.#take('quorate.webSocketPortAddress');
    const origins = this.#take('quorate.webSocketOrigins');
    const without = host ?? origins;
    if (port === undefined && without !== undefined) throw this.#error(without, `${without.key} needs quorate.webSocketPort`);
    if (port === undefined) return;
    const list = origins?.value.split(',').map((origin) => origin.trim());
    this.#config.webSocket = { ...share, host: host?.value ?? clientHost, port, ...(list !== undefined && { origins: list }) };
  }

  #takeSecurePort(share: Listen, clientHost: string): void {
    const secure = this.#take('secureClientPort');
    const host = this.#take('secureClientPortAddress')?.value ?? clientHost;
    const tls = this.#tls();
    const alsoPlain = this.#flag('client.portUnification') ?? false;
    if (secure === undefined) {
      if (tls !== undefined || alsoPlain)
        throw new ZooCfgError(this.#file, undefined, 'ssl.* and client.portUnification need secureClientPort');
      return;
    }
    if (tls === undefined) throw this.#error(secure, 'needs ssl.keyStore.location, a PEM file with a key and its certificates');
    const port = this.#numberIn(secure, secure.value, 1, 65_535);
    this.#config.secureClient = { ...share, host, port, tls: { ...tls, alsoPlain } };
  }

  #tls(): ClientTls | undefined {
    const keys = this.#pem('ssl.keyStore');
    const trust = this.#pem('ssl.trustStore');
    const auth = this.#take('ssl.clientAuth');
    const modes = { need: 'REQUIRED', want: 'OPTIONAL', none: 'NONE' } as const;
    const clientCertificates = auth === undefined ? 'REQUIRED' : modes[auth.value.toLowerCase() as keyof typeof modes];
    if (clientCertificates === undefined) throw this.#error(auth as Property, 'must be need, want or none');
    if (keys === undefined) return undefined;
    return { key: keys.text, cert: keys.text, passphrase: keys.password, ca: trust?.text, clientCertificates };
  }

  #pem(store: string): { readonly text: string; readonly password: string | undefined } | undefined {
    const location = this.#take(`${store}.location`);
    const type = this.#take(`${store}.type`);
    const password = this.#take(`${store}.password`)?.value;
    if (location === undefined) return undefined;
    if (type === undefined ? !location.value.endsWith('.pem') : type.value.toUpperCase() !== 'PEM')
      throw this.#error(
        type ?? location,
        'must be a PEM file: turn a Java key store into one by keytool -importkeystore and openssl pkcs12',
      );
    return { text: this.#text(location.value), password: password || undefined };
  }

  #takeAdmin(): void {
    const enabled = this.#flag('admin.enableServer');
    const port = this.#number('admin.serverPort', 1, 65_535) ?? ADMIN_PORT;
    const host = this.#take('admin.serverAddress')?.value;
    const unrestricted = this.#flag('quorate.adminUnrestricted');
    if (enabled === true)
      this.#config.admin = { port, ...(host !== undefined && { host }), ...(unrestricted === true && { unrestricted }) };
    else if (enabled === undefined) this.#notes.push('the admin port is closed unless admin.enableServer=true');
    const provider = this.#take('metricsProvider.className');
    const metricsPort = this.#number('metricsProvider.httpPort', 0, 65_535) ?? METRICS_PORT;
    const metricsHost = this.#take('metricsProvider.httpHost')?.value;
    if (provider === undefined || provider.value.endsWith('.DefaultMetricsProvider') || provider.value.endsWith('.NullMetricsProvider'))
      return;
    if (!provider.value.endsWith('.PrometheusMetricsProvider'))
      throw this.#error(provider, 'must be org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider, or be left out');
    this.#config.metrics = { port: metricsPort, ...(metricsHost !== undefined && { host: metricsHost }) };
  }

  #takeRest(): void {
    const config = this.#config;
    config.localSessions = this.#flag('localSessionsEnabled');
    config.localSessionsUpgrading = this.#flag('localSessionsUpgradingEnabled');
    config.readOnlyMode = this.#flag('readonlymode.enabled');
    config.enforceQuota = this.#flag('enforceQuota');
    config.digest = this.#flag('digest.enabled');
    config.audit = this.#flag('audit.enable');
    config.superDigest = this.#take('DigestAuthenticationProvider.superDigest')?.value;
    const requestsMax = this.#number('globalOutstandingLimit', 1, ANY_NUMBER);
    if (requestsMax !== undefined) config.requestThrottle = { requestsMax };
    config.words = this.#takeWords();
    for (const [key, why] of notes) if (this.#take(key) !== undefined) this.#notes.push(`${key} changes nothing: ${why}`);
    for (const [key, [value, what]] of fixed) {
      const property = this.#take(key);
      if (property !== undefined && property.value.toLowerCase() !== value) throw this.#error(property, what);
    }
  }

  /** What is taken is done with. */
  #take(key: string): Property | undefined {
    const property = this.#properties.get(key);
    if (property !== undefined) this.#properties.delete(key);
    return property;
  }

  #number(key: string, min: number, max: number): number | undefined {
    const property = this.#take(key);
    return property === undefined ? undefined : this.#numberIn(property, property.value, min, max);
  }

  #numberIn(property: Property, text: string, min: number, max: number): number {
    const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max))
      throw this.#error(property, `${property.key} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
    return number;
  }

  #flag(key: string): boolean | undefined {
    const property = this.#take(key);
    if (property === undefined) return undefined;
    const value = property.value.toLowerCase();
    if (value !== 'true' && value !== 'false')
      throw this.#error(property, `${property.key} must be true or false, not ${JSON.stringify(property.value)}`);
    return value === 'true';
  }

  #error({ line }: Property, message: string): ZooCfgError {
    return new ZooCfgError(this.#now, line, message);
  }
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

/** ZooKeeper says 0 for as many as come. */
function unlimited(value: number | undefined): number | undefined {
  return value === 0 ? ANY_NUMBER : value;
}
