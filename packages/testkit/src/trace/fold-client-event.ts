/** What of a client's messages goes into the trace hash. */
import type { ClientMessage, ServerMessage } from '@quorate/protocol';
import type { TraceHash } from './trace-hash.js';

export function foldClientMessage(hash: TraceHash, message: ClientMessage): void {
  switch (message.kind) {
    case 'connect':
      hash.fold(97);
      return hash.fold(message.lastZxidSeen);
    case 'malformed':
      return hash.fold(98);
    case 'request':
      hash.fold(99);
      hash.fold(message.xid);
      hash.fold(message.request.type);
      if ('path' in message.request) hash.foldText(message.request.path);
      if ('mode' in message.request) hash.fold(message.request.mode);
      if ('watcherType' in message.request) hash.fold(message.request.watcherType);
      return;
  }
}

export function foldServerMessage(hash: TraceHash, message: ServerMessage): void {
  switch (message.kind) {
    case 'connected':
      hash.fold(100);
      return hash.fold(Number(BigInt.asUintN(32, message.sessionId)));
    case 'reply':
      hash.fold(101);
      hash.fold(message.xid);
      hash.fold(message.err);
      return hash.fold(message.zxid);
    case 'event':
      hash.fold(102);
      hash.fold(message.type);
      hash.foldText(message.path);
      return hash.fold(message.zxid);
  }
}
