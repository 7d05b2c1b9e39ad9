/**
 * ZooKeeper's connect string (class `ConnectStringParser`): `host:port,host:port/chroot`. A port that is left out is 2181, an IPv6 address stands in brackets, and the
 * chroot stands once, behind the last server.
 */
import { pathFault } from '@quorate/protocol';

/** The port of a server where none is named. */
const CLIENT_PORT = 2181;

/** Where one server is. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** What a connect string says. */
export interface ConnectString {
  /** At least one, in the order of the string. */
  readonly servers: readonly ServerAddress[];
  /** The path that is the client's root; undefined for that of the servers. */
  readonly chroot: string | undefined;
}

/** @throws TypeError that says what is wrong and what would be right. */
export function parseConnectString(text: string): ConnectString {
  if (typeof text !== 'string' || text.trim() === '')
    throw new TypeError("hosts must be a string like '127.0.0.1:2181,127.0.0.1:2182/app'");
  if (text.includes('://')) throw wrong(text, "a connect string has no scheme: write 'host:port'");
  const slash = text.indexOf('/');
  const hosts = slash === -1 ? text : text.slice(0, slash);
  return {
    servers: hosts.split(',').map((part) => parseAddress(text, part.trim())),
    chroot: slash === -1 ? undefined : parseChroot(text, text.slice(slash).trimEnd()),
  };
}

/** The path as a root: undefined for `/`. @throws TypeError */
export function checkChroot(path: string): string | undefined {
  if (typeof path !== 'string') throw new TypeError(`chroot must be a string like '/app', not ${String(path)}`);
  const fault = pathFault(path);
  if (fault !== undefined) throw new TypeError(`chroot ${JSON.stringify(path)}: ${fault}`);
  return path === '/' ? undefined : path;
}

function parseChroot(text: string, path: string): string | undefined {
  if (path.includes(',')) throw wrong(text, "the chroot stands once, behind the last server: write 'a:2181,b:2181/app'");
  const fault = pathFault(path);
  if (fault !== undefined) throw wrong(text, `the chroot ${JSON.stringify(path)}: ${fault}`);
  return checkChroot(path);
}

function parseAddress(text: string, part: string): ServerAddress {
  if (part === '') throw wrong(text, 'there is a server without a name: between two commas stands host or host:port');
  const match = /^(?:\[(?<v6>[\da-fA-F.]*:[\da-fA-F:.]*(?:%[\w.-]+)?)\]|(?<name>[\p{L}\p{N}._-]+))(?::(?<port>[^:]*))?$/u.exec(part);
  const host = match?.groups?.v6 ?? match?.groups?.name;
  if (host === undefined) throw wrong(text, `${JSON.stringify(part)} must be host, host:port or [IPv6 address]:port`);
  return { host, port: parsePort(text, match?.groups?.port) };
}

function parsePort(text: string, digits: string | undefined): number {
  if (digits === undefined) return CLIENT_PORT;
  const port = Number(digits);
  if (/^\d{1,5}$/.test(digits) && port >= 1 && port <= 65_535) return port;
  throw wrong(text, `a port is a number from 1 to 65535, not ${JSON.stringify(digits)}`);
}

function wrong(text: string, fault: string): TypeError {
  return new TypeError(`${JSON.stringify(text)}: ${fault}`);
}
