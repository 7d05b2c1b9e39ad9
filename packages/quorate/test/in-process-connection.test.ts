import type { ConnectionHandler } from '@quorate/client';
import { VirtualClock } from '@quorate/ports';
import { type ClientMessage, EventType, KeeperState, OpCode, type ServerMessage, type Zxid } from '@quorate/protocol';
import type { ClientLink, ClientPort } from '@quorate/server';
import { expect, test } from 'vitest';
import { InProcessConnection, OUTBOX_BYTES_MAX } from '../src/in-process-connection.js';

/** A connection to a server that does what it is told. */
function connected(onReceive: (message: ClientMessage, link: ClientLink) => void = () => {}) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const messages: ServerMessage[] = [];
  const handler: ConnectionHandler = {
    onOpen: () => log.push('open'),
    onMessage: (message) => messages.push(message),
    onClose: (reason) => log.push(`client: ${reason?.message}`),
  };
  const connection = new InProcessConnection(clock, handler);
  let link!: ClientLink;
  connection.open((given) => {
    link = given;
    const port: Pick<ClientPort, 'receive' | 'closed'> = {
      receive: (message) => onReceive(message, given),
      closed: () => log.push('server: closed'),
    };
    return port as ClientPort;
  });
  /** Runs what has been deferred by now. */
  const turn = () => clock.advance(0);
  turn();
  return { clock, connection, link, log, messages, turn };
}

const event = (path: string): ServerMessage => ({
  kind: 'event',
  type: EventType.nodeCreated,
  state: KeeperState.syncConnected,
  path,
  zxid: 1 as Zxid,
});

test('a client for which too much waits is disconnected, with nothing of it, and its server hears of it', () => {
  const { link, log, messages, turn } = connected();
  const large = event(`/${'x'.repeat(1_000_000)}`);
  for (let bytes = 0; bytes < OUTBOX_BYTES_MAX - 2_000_000; bytes += 1_001_000) link.send(large);
  turn();
  expect([log, messages.length]).toEqual([['open'], 66]);
  for (let i = 0; i < 70; i++) link.send(large);
  turn();
  expect(messages).toHaveLength(66);
  expect(log.sort()).toEqual([
    `client: more than ${OUTBOX_BYTES_MAX} bytes of answers and events waited for this client`,
    'open',
    'server: closed',
  ]);
});

test('what is read from a client in one turn gives little more than a MiB of answers, and all of it is read', () => {
  let received = 0;
  const { clock, connection, messages } = connected((message, link) => {
    received++;
    if (message.kind !== 'request') return;
    const data = new Uint8Array(300_000);
    const stat = undefined as never;
    link.send({ kind: 'reply', xid: message.xid, zxid: 1 as Zxid, err: 0, response: { type: OpCode.getData, data, stat } });
  });
  for (let xid = 1; xid <= 20; xid++) connection.send({ kind: 'request', xid, request: { type: OpCode.getData, path: '/', watch: false } });
  let most = 0;
  while (messages.length < 20 && clock.step()) most = Math.max(most, received - messages.length);
  expect(most).toBe(4);
  expect(messages.map((message) => message.kind === 'reply' && message.xid)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});
