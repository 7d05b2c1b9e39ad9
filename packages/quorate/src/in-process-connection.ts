/**
 * A connection that stays within the process: messages are passed as they are, in order, in a later turn than that in which they were sent.
 *
 * The later turn keeps apart what must not run inside one another: the caller of a client, a server that is at its work, and another client.
 * What is sent in one turn travels together, so that the turn costs little per message.
 *
 * Data and names of children are copied here on their way to the client. On their way to the server the client has copied them already.
 *
 * As on a socket, no more is read from a client while much waits for it, and one for which too much waits is disconnected; its session goes on. What the
 * server has not read waits in the client, which limits how many calls it has.
 */
import type { Connection, ConnectionHandler } from '@quorate/client';
import type { Clock } from '@quorate/ports';
import {
  type ClientMessage,
  type GetChildren2Response,
  type GetChildrenResponse,
  type GetDataResponse,
  OpCode,
  type ServerMessage,
} from '@quorate/protocol';
import { type ClientLink, type ClientPort, serverMessageBytes } from '@quorate/server';

/** Answers and events that wait for a client before nothing more is read from it, in bytes. */
const OUTBOX_PAUSE_BYTES = 1024 * 1024;

/** Answers and events that may wait for a client, in bytes. */
export const OUTBOX_BYTES_MAX = 64 * 1024 * 1024;

export class InProcessConnection implements Connection {
  readonly #clock: Clock;
  readonly #handler: ConnectionHandler;
  #port: ClientPort | undefined;
  /** This end was closed, or was told that the other was. */
  #closed = false;
  /** The server has closed its end, or was told that this one was. */
  #closedByServer = false;
  #paused = false;
  #opened = false;
  #refusal: Error | undefined;
  /** Too much has waited for the client. */
  #overflown = false;

  #requests: ClientMessage[] = [];
  /** How many of the requests the server has taken. */
  #taken = 0;
  #replies: ServerMessage[] = [];
  #replyBytes = 0;
  #requestTurn = false;
  #replyTurn = false;

  constructor(clock: Clock, handler: ConnectionHandler) {
    this.#clock = clock;
    this.#handler = handler;
  }

  /** Connects to a server; what it gives its link to is `accept`. */
  open(accept: (link: ClientLink) => ClientPort): void {
    this.#port = accept({
      send: (message) => this.#sendToClient(message),
      close: () => this.#closeByServer(),
      pause: () => {
        this.#paused = true;
      },
      resume: () => {
        this.#paused = false;
        this.#scheduleRequests();
      },
    });
    this.#scheduleReplies();
  }

  /** There is nobody to connect to. */
  refuse(reason: Error): void {
    this.#refusal = reason;
    this.#closeByServer();
  }

  send(message: ClientMessage): void {
    if (this.#closed || this.#closedByServer) return;
    this.#requests.push(message);
    this.#scheduleRequests();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#scheduleRequests();
  }

  #sendToClient(message: ServerMessage): void {
    if (this.#closed || this.#closedByServer || this.#overflown) return;
    this.#replies.push(message);
    this.#replyBytes += serverMessageBytes(message);
    if (this.#replyBytes > OUTBOX_BYTES_MAX) this.#overflow();
    this.#scheduleReplies();
  }

  /** The client gets nothing of what waits: it may no more be told the last of it than the first. Its server hears of it in a later turn, as of any connection. */
  #overflow(): void {
    this.#overflown = true;
    this.#replies = [];
    this.#replyBytes = 0;
    this.#refusal = new Error(`more than ${OUTBOX_BYTES_MAX} bytes of answers and events waited for this client`);
    this.#scheduleRequests();
  }

  #closeByServer(): void {
    this.#closedByServer = true;
    this.#scheduleReplies();
  }

  #scheduleRequests(): void {
    if (this.#requestTurn) return;
    this.#requestTurn = true;
    this.#clock.defer(this.#deliverRequests);
  }

  #scheduleReplies(): void {
    if (this.#replyTurn) return;
    this.#replyTurn = true;
    this.#clock.defer(this.#deliverReplies);
  }

  readonly #deliverRequests = (): void => {
    const port = this.#port;
    while (
      this.#taken < this.#requests.length &&
      !this.#paused &&
      this.#replyBytes < OUTBOX_PAUSE_BYTES &&
      !this.#closedByServer &&
      !this.#overflown
    ) {
      port?.receive(this.#requests[this.#taken++] as ClientMessage);
    }
    this.#requestTurn = false;
    this.#dropTaken();
    if (!(this.#closed || this.#overflown) || this.#closedByServer) return;
    // What a server that has paused has not taken by now is not taken any more.
    this.#closedByServer = true;
    port?.closed();
  };

  /** Gives up the room of what was taken; half of the room at a time, so that a request is moved once on average. */
  #dropTaken(): void {
    if (this.#taken * 2 < this.#requests.length) return;
    this.#requests = this.#taken === this.#requests.length ? [] : this.#requests.slice(this.#taken);
    this.#taken = 0;
  }

  readonly #deliverReplies = (): void => {
    if (!this.#opened && this.#refusal === undefined && !this.#closed) {
      this.#opened = true;
      this.#handler.onOpen();
    }
    const replies = this.#replies;
    this.#replies = [];
    this.#replyBytes = 0;
    for (let index = 0; index < replies.length && !this.#closed; index++)
      this.#handler.onMessage(withOwnData(replies[index] as ServerMessage));
    this.#replyTurn = false;
    // What was not read because of what waited.
    if (this.#taken < this.#requests.length) this.#scheduleRequests();
    if (this.#closed) return;
    if (this.#replies.length > 0) return this.#scheduleReplies();
    if (!this.#closedByServer && !this.#overflown) return;
    this.#closed = true;
    this.#handler.onClose(this.#refusal ?? new Error('the server has ended the connection'));
  };
}

/** The message with data and names that are not the tree's own: their receiver may write to them. */
function withOwnData(message: ServerMessage): ServerMessage {
  if (message.kind !== 'reply') return message;
  const { response } = message;
  switch (response?.type) {
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return { ...message, response: copied(response) };
    case OpCode.multiRead:
      return {
        ...message,
        response: { ...response, results: response.results.map((result) => (result.type === OpCode.error ? result : copied(result))) },
      };
    default:
      return message;
  }
}

function copied<R extends GetDataResponse | GetChildrenResponse | GetChildren2Response>(response: R): R {
  if (response.type === OpCode.getData) return { ...response, data: response.data === null ? null : response.data.slice() };
  return { ...response, children: response.children.slice() };
}
