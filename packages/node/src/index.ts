export { FileDisk } from './file-disk.js';
export { CLIENT_PORT, Listener, type ListenOptions, listen } from './listen.js';
export { ListenError, type ListenErrorCode } from './listen-error.js';
export { connect, type TcpConnectorOptions, tcpConnector } from './tcp-connector.js';
