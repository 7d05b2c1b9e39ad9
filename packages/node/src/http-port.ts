/** A small HTTP port: answers GET and POST by path, and gives no client more than a few seconds. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { listenError } from './listen-error.js';
import type { HttpPort } from './server-config.js';

export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  /** As a whole, or in pieces that are taken as fast as they can be sent. */
  readonly body: string | Iterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What comes is a method and a path. Who asks is not looked at: a header says whatever its sender likes (CVE-2024-51504). */
export type Answerer = (method: string, path: string) => HttpAnswer | Promise<HttpAnswer>;

const CONNECTIONS_MAX = 64;
const REQUEST_MS_MAX = 5_000;

/** How long a client may take nothing of an answer, in milliseconds. */
const STALL_MS_MAX = 30_000;

export interface OpenHttpPort {
  /** `127.0.0.1:8080`. */
  readonly address: string;
  close(): Promise<void>;
}

/** @throws ListenError where the port cannot be bound. */
export function openHttpPort({ host = '127.0.0.1', port }: HttpPort, answer: Answerer): Promise<OpenHttpPort> {
  return new Promise((resolve, reject) => {
    const server = createServer({ requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX }, (request, response) => {
      void respond(request, response, answer);
    });
    server.maxConnections = CONNECTIONS_MAX;
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen(port, host, () => resolve({ address: addressOf(server), close: () => closed(server) }));
  });
}

async function respond(request: IncomingMessage, response: ServerResponse, answer: Answerer): Promise<void> {
  // No request has a body that anybody reads.
  request.resume();
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const { status, type, body, headers } = await Promise.resolve(answer(request.method ?? '', pathname)).catch(
    (): HttpAnswer => ({ status: 500, type: 'text/plain', body: 'this answer could not be made\n' }),
  );
  const described = { 'content-type': type, 'cache-control': 'no-store', ...headers };
  response.setTimeout(STALL_MS_MAX, () => response.destroy());
  if (typeof body !== 'string') {
    response.writeHead(status, described);
    // An answer that breaks off lacks the end that HTTP gives it, so whoever reads it knows.
    await pipeline(Readable.from(body, { highWaterMark: 1 }), response).catch(() => response.destroy());
    return;
  }
  response.writeHead(status, { ...described, 'content-length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
