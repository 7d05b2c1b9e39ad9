/** Why a listener could not bind. The names are stable. */
export type ListenErrorCode =
  /** Somebody else listens there. */
  | 'PORT_IN_USE'
  /** The process may not listen there. */
  | 'PORT_FORBIDDEN'
  /** This machine does not have the address. */
  | 'ADDRESS_NOT_HERE'
  /** Anything else; `cause` says what. */
  | 'LISTEN_FAILED';

/** A listener could not bind its port. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: ListenErrorCode;
  readonly host: string;
  readonly port: number;

  constructor(code: ListenErrorCode, message: string, options: { readonly host: string; readonly port: number; readonly cause: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.host = options.host;
    this.port = options.port;
  }
}

/** The error of `listen` for what the operating system said. */
export function listenError(cause: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const options = { host, port, cause };
  const choose = 'choose another, or 0 for any that is free';
  switch (cause.code) {
    case 'EADDRINUSE':
      return new ListenError('PORT_IN_USE', `port ${port} of ${host} is in use: ${choose}`, options);
    case 'EACCES':
      return new ListenError('PORT_FORBIDDEN', `this process may not listen on port ${port} of ${host}: ${choose}`, options);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError('ADDRESS_NOT_HERE', `this machine has no address ${host}: give one of its own`, options);
    default:
      return new ListenError('LISTEN_FAILED', `cannot listen on port ${port} of ${host}: ${cause.message}`, options);
  }
}
