import { type ClientMessage, decodeConnectResponse, decodeServerMessage, FrameSplitter, type ServerMessage } from '@quorate/protocol';

/** Cuts what comes from a server, in chunks of any size, into messages. For whoever writes a `Connection` over a stream of bytes. */
export class ServerMessageReader {
  readonly #splitter: FrameSplitter;
  #connected = false;
  /** The types of the requests that have no answer yet, which is what the answers are read by. */
  readonly #types = new Map<number, number>();

  /** @param responseBytesMax the longest frame that is taken, in bytes. */
  constructor(responseBytesMax: number) {
    this.#splitter = new FrameSplitter(responseBytesMax);
  }

  /** To be told of every message to the server, before it is sent. */
  noteSent(message: ClientMessage): void {
    if (message.kind === 'request' && message.xid > 0) this.#types.set(message.xid, message.request.type);
  }

  /** Takes the next bytes of the stream. They are copied. */
  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  /**
   * The next message, or undefined where it is not complete.
   *
   * @throws ProtocolError where the stream cannot be understood, from here on.
   */
  next(): ServerMessage | undefined {
    const body = this.#splitter.next();
    if (body === undefined) return undefined;
    if (!this.#connected) {
      this.#connected = true;
      return decodeConnectResponse(body);
    }
    const message = decodeServerMessage(body, (xid) => this.#types.get(xid));
    if (message.kind === 'reply') this.#types.delete(message.xid);
    return message;
  }
}
