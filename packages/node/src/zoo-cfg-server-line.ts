/** What `server.N` says: `host:quorumPort:electionPort[:role][;[clientHost:]clientPort]`, an IPv6 address in brackets. */
export interface ServerLine {
  readonly host: string;
  readonly quorumPort: number;
  readonly electionPort: number;
  readonly observer: boolean;
  readonly client: { readonly host: string | undefined; readonly port: number } | undefined;
}

const HOST = String.raw`(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\];|]+))`;
const PEER = new RegExp(String.raw`^${HOST}:(?<quorum>\d{1,5}):(?<election>\d{1,5})(?::(?<role>\w+))?$`);
const CLIENT = new RegExp(String.raw`^(?:${HOST}:)?(?<port>\d{1,5})$`);

/** The line, or what is wrong with it. */
export function parseServerLine(text: string): ServerLine | string {
  const [peerText = '', clientText, ...more] = text.split(';').map((part) => part.trim());
  if (peerText.includes('|')) return 'a server has one address here: leave the others out';
  const peer = PEER.exec(peerText)?.groups;
  const client = clientText === undefined ? undefined : CLIENT.exec(clientText)?.groups;
  if (peer === undefined || more.length > 0 || (clientText !== undefined && client === undefined))
    return `must be host:quorumPort:electionPort, perhaps with :observer and ;clientPort behind it, not ${JSON.stringify(text)}`;
  const role = (peer.role ?? 'participant').toLowerCase();
  if (role !== 'participant' && role !== 'observer') return `the role of a server is participant or observer, not ${peer.role}`;
  const ports = [peer.quorum, peer.election, client?.port].map(Number);
  if (ports.some((port) => port < 1 || port > 65_535)) return 'a port is a number from 1 to 65535';
  const [quorumPort, electionPort, clientPort] = ports as [number, number, number];
  return {
    host: (peer.v6 ?? peer.name) as string,
    quorumPort,
    electionPort,
    observer: role === 'observer',
    client: client === undefined ? undefined : { host: client.v6 ?? client.name, port: clientPort },
  };
}
