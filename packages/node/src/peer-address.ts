/** Where the servers of an ensemble are, as ZooKeeper writes it: `server.N=host:quorumPort:electionPort`, an IPv6 address in brackets. */
import type { Config, Sid } from '@quorate/server';

export interface PeerAddress {
  /** A name or an address. Under TLS the certificate of the server has to name it. */
  readonly host: string;
  /** Where a leader takes its learners; 2888 by custom. */
  readonly quorumPort: number;
  /** Where election connections are taken; 3888 by custom. */
  readonly electionPort: number;
}

/** Whether only this machine reaches a bound address. A name is asked nobody for. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** As a URL has it. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The config of an ensemble as ZooKeeper writes it (`QuorumMaj.toString`). */
export function configText({ version, voters, observers = [] }: Config, servers: ReadonlyMap<Sid, PeerAddress>): string {
  const line = (sid: Sid, role: string): string => {
    const address = servers.get(sid);
    if (address === undefined) throw new TypeError(`server ${sid} has no address: name it in servers`);
    return `server.${sid}=${hostPort(address.host, address.quorumPort)}:${address.electionPort}:${role}`;
  };
  const lines = [...voters.map((sid) => line(sid, 'participant')), ...observers.map((sid) => line(sid, 'observer'))];
  return [...lines, `version=${version.toString(16)}`].join('\n');
}
