/** The contract suite of `Connection`: the connection within the process keeps every clause, and each broken one breaks one. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connection, ConnectionHandler, Connector } from '@quorate/client';
import { OpCode, type ServerMessage } from '@quorate/protocol';
import { type ConnectionWorld, connectionContract, connectionSuite } from '@quorate/testkit';
import { Ensemble } from 'quorate';
import { describe, expect, test } from 'vitest';

/** A few hundred turns are more than anything within a process takes. */
const TURNS_MAX = 2_000;

async function world(spoil: (connector: Connector) => Connector = (connector) => connector): Promise<ConnectionWorld> {
  const ensemble = await Ensemble.start({ servers: 1 });
  return {
    connector: spoil(ensemble.connector()),
    stop: () => ensemble.close(),
    until: async (holds) => {
      for (let turn = 0; !holds(); turn++) {
        if (turn === TURNS_MAX) throw new Error('what was awaited never came');
        await nextTurn();
      }
    },
    settle: async () => {
      for (let turn = 0; turn < 100; turn++) await nextTurn();
    },
    close: () => ensemble.close(),
  };
}

describe('within the process', () => connectionSuite({ test, world: () => world() }));

/** Changes one thing about a sound connection. */
type Spoiler = (handler: ConnectionHandler) => {
  readonly handler?: Partial<ConnectionHandler>;
  connection?(inner: Connection): Partial<Connection>;
};

function spoiled(spoiler: Spoiler): (connector: Connector) => Connector {
  return (connector) => ({
    servers: connector.servers,
    connect: (index, handler) => {
      const { handler: changed = {}, connection } = spoiler(handler);
      const inner = connector.connect(index, {
        onOpen: () => handler.onOpen(),
        onMessage: (message) => handler.onMessage(message),
        onClose: (reason) => handler.onClose(reason),
        ...changed,
      });
      return { send: (message) => inner.send(message), close: () => inner.close(), ...connection?.(inner) };
    },
  });
}

const broken: Record<string, () => Spoiler> = {
  'loses a message': () => () => {
    let sent = 0;
    return { connection: (inner) => ({ send: (message) => (++sent === 100 ? undefined : inner.send(message)) }) };
  },
  'repeats a message': () => () => {
    let sent = 0;
    return {
      connection: (inner) => ({
        send: (message) => {
          inner.send(message);
          if (++sent === 100) inner.send(message);
        },
      }),
    };
  },
  'lets one answer overtake another': () => (handler) => {
    let count = 0;
    let held: ServerMessage | undefined;
    return {
      handler: {
        onMessage: (message) => {
          if (++count === 50) {
            held = message;
            return;
          }
          handler.onMessage(message);
          if (held !== undefined) handler.onMessage(held);
          held = undefined;
        },
      },
    };
  },
  'cuts large data short': () => () => ({
    connection: (inner) => ({
      send: (message) => {
        if (message.kind !== 'request' || message.request.type !== OpCode.create) return inner.send(message);
        const { data } = message.request;
        inner.send({ ...message, request: { ...message.request, data: data === null ? null : data.subarray(0, 1 << 19) } });
      },
    }),
  }),
  'drops what was sent before it was open': () => (handler) => {
    let isOpen = false;
    return {
      handler: {
        onOpen: () => {
          isOpen = true;
          handler.onOpen();
        },
      },
      connection: (inner) => ({ send: (message) => (isOpen ? inner.send(message) : undefined) }),
    };
  },
  'is opened from within connect': () => (handler) => {
    handler.onOpen();
    return { handler: { onOpen: () => {} } };
  },
  'never says that it is open': () => () => ({ handler: { onOpen: () => {} } }),
  'gives two readers the same bytes': () => {
    let first: Uint8Array | null | undefined;
    return (handler) => ({
      handler: {
        onMessage: (message) => {
          if (message.kind !== 'reply' || message.response?.type !== OpCode.getData) return handler.onMessage(message);
          first ??= message.response.data;
          const data = first?.length === message.response.data?.length ? (first ?? null) : message.response.data;
          handler.onMessage({ ...message, response: { ...message.response, data } });
        },
      },
    });
  },
  'confuses the connections to one server': () => {
    let first: ConnectionHandler | undefined;
    return (handler) => {
      first ??= handler;
      const chosen = first;
      return { handler: { onMessage: (message) => (message.kind === 'reply' ? chosen : handler).onMessage(message) } };
    };
  },
  'tells of messages after this end has closed': () => (handler) => ({
    connection: (inner) => ({
      close: () => {
        inner.close();
        setImmediate(() => handler.onMessage({ kind: 'event', type: 1, state: 3, path: '/', zxid: 0 as never }));
      },
    }),
  }),
  'sends after this end has closed': () => () => ({ connection: () => ({ close: () => {} }) }),
  'tells this end of its own close': () => (handler) => ({
    connection: (inner) => ({
      close: () => {
        inner.close();
        setImmediate(() => handler.onClose());
      },
    }),
  }),
  'tells of a close twice': () => (handler) => ({
    handler: {
      onClose: () => {
        handler.onClose();
        handler.onClose();
      },
    },
  }),
  'tells nobody of a close': () => () => ({ handler: { onClose: () => {} } }),
};

describe('is told apart: a connection that', () => {
  for (const [name, spoiler] of Object.entries(broken)) {
    test(name, async () => {
      const failed: string[] = [];
      for (const clause of connectionContract) {
        const made = await world(spoiled(spoiler()));
        await clause.check(made).catch(() => failed.push(clause.name));
        await made.close();
      }
      expect(failed).not.toEqual([]);
    });
  }

  test('… but the same with nothing spoiled keeps every clause', async () => {
    for (const clause of connectionContract) {
      const made = await world(spoiled(() => ({})));
      await clause.check(made);
      await made.close();
    }
  });
});
