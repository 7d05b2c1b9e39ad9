/** A client's connection from its first byte, as a port takes it: of TCP, of TLS, or out of the messages of a WebSocket. */
import { Duplex } from 'node:stream';
import { encodeClientMessage } from '@quorate/protocol';
import fc from 'fast-check';
import { EventFrames } from '../../packages/node/src/event-frames.ts';
import { FlushScheduler } from '../../packages/node/src/flush-scheduler.ts';
import { LinkMemory } from '../../packages/node/src/link-memory.ts';
import { noCounts } from '../../packages/node/src/listener-counts.ts';
import { ReadTurns } from '../../packages/node/src/read-turns.ts';
import { StreamLink } from '../../packages/node/src/stream-link.ts';
import * as client from '../../packages/protocol/test/arbitraries.ts';
import type { FuzzTarget } from './target.ts';

const CONNECTIONS = 60;
const REQUESTS_MAX = 4;
const MEMORY_BYTES = 1024 * 1024;

/** @param seed chooses the good inputs. */
export function linkTargets(seed: number): readonly FuzzTarget[] {
  const connection = fc.tuple(client.connectRequest, fc.array(client.requestMessage, { maxLength: REQUESTS_MAX }));
  const corpus = fc
    .sample(connection, { seed, numRuns: CONNECTIONS })
    .map(([handshake, requests]) => new Uint8Array(Buffer.concat([handshake, ...requests].map((message) => encodeClientMessage(message)))));
  return [
    {
      name: 'client: a connection from its first byte',
      corpus: [...corpus, new TextEncoder().encode('ruok')],
      read: converse,
      share: 0.2,
    },
  ];
}

/** It reads nothing by itself, and swallows what is written. */
class Socket extends Duplex {
  override _read(): void {}

  override _write(_chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

const share = {
  flushes: new FlushScheduler(),
  events: new EventFrames(),
  memory: new LinkMemory(MEMORY_BYTES),
  turns: new ReadTurns(),
  counts: noCounts(),
  answerWord: (word: string) => (word === 'ruok' ? 'imok' : undefined),
};

async function converse(bytes: Uint8Array): Promise<void> {
  const socket = new Socket();
  const link = new StreamLink(
    socket,
    () => ({ receive: () => {}, heard: () => {}, closed: () => {} }),
    { handshakeTimeoutMs: 10_000, outboxBytesMax: MEMORY_BYTES },
    share,
    { address: '127.0.0.1', remotePort: 1, ids: [], socket: socket as never },
  );
  for (const chunk of [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)]) socket.emit('data', Buffer.from(chunk));
  link.destroy();
  await new Promise((resolve) => socket.once('close', resolve));
}
