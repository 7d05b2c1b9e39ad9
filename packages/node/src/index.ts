export { FileDisk } from './file-disk.js';
export { CLIENT_PORT, Listener, type ListenOptions, listen } from './listen.js';
export { ListenError, type ListenErrorCode } from './listen-error.js';
export type { PeerAddress } from './peer-address.js';
export type { PeerStreamsOptions } from './peer-streams.js';
export type { PeerTls } from './peer-tls.js';
export { type PeerTransportOptions, peerTransport } from './peer-transport.js';
export { connect, type TcpConnectorOptions, tcpConnector } from './tcp-connector.js';
