/** What goes over the connection of a client, in words. */
import { type ClientMessage, EventType, errorName, formatSessionId, formatZxid, opCodeName, type ServerMessage } from '@quorate/protocol';

export function describeClientMessage(message: ClientMessage): string {
  switch (message.kind) {
    case 'connect':
      return `connect ${message.sessionId === 0n ? 'new' : formatSessionId(message.sessionId)} lastZxidSeen ${formatZxid(message.lastZxidSeen)}`;
    case 'malformed':
      return `malformed ${message.xid}`;
    case 'request': {
      const { request, xid } = message;
      const path = 'path' in request ? ` ${request.path}` : '';
      const watch = 'watch' in request && request.watch ? ' and watches' : '';
      const kind = 'mode' in request ? ` mode ${request.mode}` : 'watcherType' in request ? ` type ${request.watcherType}` : '';
      return `${opCodeName(request.type) ?? request.type} #${xid}${path}${watch}${kind}`;
    }
  }
}

export function describeServerMessage(message: ServerMessage): string {
  switch (message.kind) {
    case 'connected':
      return message.timeOut <= 0 ? 'session expired' : `connected ${formatSessionId(message.sessionId)} for ${message.timeOut} ms`;
    case 'reply':
      return `reply #${message.xid} ${formatZxid(message.zxid)}${message.err === 0 ? '' : ` ${errorName(message.err) ?? message.err}`}`;
    case 'event': {
      const name = Object.entries(EventType).find(([, value]) => value === message.type)?.[0];
      return `event ${name ?? message.type} ${message.path} ${formatZxid(message.zxid)}`;
    }
  }
}
