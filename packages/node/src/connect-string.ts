/** ZooKeeper's connect string: `host:port,host:port`, where a port that is left out is 2181 and an IPv6 address stands in brackets. */
import { CLIENT_PORT } from './listen.js';

/** Where one server is. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** @throws TypeError that names what is wrong. */
export function parseConnectString(text: string): readonly HostPort[] {
  if (typeof text !== 'string' || text.trim() === '') throw new TypeError("hosts must be a string like '127.0.0.1:2181,127.0.0.1:2182'");
  // A chroot is a prefix that the client would have to put before every path.
  if (text.includes('/')) throw new TypeError(`${JSON.stringify(text)}: a path behind the hosts (chroot) is not there yet`);
  return text.split(',').map((part) => parseHost(part.trim()));
}

function parseHost(text: string): HostPort {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const host = match?.groups?.v6 ?? match?.groups?.name;
  const port = Number(match?.groups?.port ?? CLIENT_PORT);
  if (host === undefined) throw new TypeError(`${JSON.stringify(text)} must be host, host:port or [address]:port`);
  if (port < 1 || port > 65_535) throw new TypeError(`${JSON.stringify(text)}: a port is a number from 1 to 65535`);
  return { host, port };
}
