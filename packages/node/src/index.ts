export type { ClientTls } from './client-tls.js';
export { type Acceptor, CLIENT_PORT, Listener, type ListenOptions, listen } from './listen.js';
export { ListenError, type ListenErrorCode } from './listen-error.js';
export type { AdminConfig, HttpPort, PeerAddress, ServerConfig } from './server-config.js';
export type { Logger } from './server-log.js';
export { FULL_VERSION } from './server-version.js';
export type { Mode } from './server-view.js';
export { RunningServer, type RunningStatus, startServer } from './start-server.js';
export { connect, type TcpConnectorOptions, tcpConnector } from './tcp-connector.js';
