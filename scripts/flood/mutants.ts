/** Defences taken away: `npm run test:flood -- --mutants` has to miss each. */
import type { Edit, Mutant } from '../mutants/mutant.ts';

function mutant(id: string, title: string, ...edits: readonly Edit[]): Mutant {
  return { id, title, origin: 'reliability: malicious clients', level: 'server', edits };
}

const LISTEN = 'packages/node/src/listen.ts';
const LINK = 'packages/node/src/stream-link.ts';
const MEMORY = 'packages/node/src/link-memory.ts';

export const MUTANTS: readonly Mutant[] = [
  mutant('any-number-of-an-address', 'an address may have any number of connections', {
    file: LISTEN,
    find: ` || !addresses.enter(address)) socket.destroy();`,
    replace: `) socket.destroy();`,
  }),
  mutant('any-number', 'a listener takes any number of connections', {
    file: LISTEN,
    find: `  server.maxConnections = connectionsMax;`,
    replace: ``,
  }),
  mutant('all-files', 'clients may take all the files that the process may have', {
    file: LISTEN,
    find: `isBeyond(socket, numbers) || `,
    replace: ``,
  }),
  mutant('no-deadline', 'a client may take any time to introduce itself', {
    file: LINK,
    find: `setTimeout(() => this.destroy(), limits.handshakeTimeoutMs)`,
    replace: `setTimeout(() => {}, limits.handshakeTimeoutMs)`,
  }),
  mutant('any-handshake', 'a handshake may be as long as any request', {
    file: LINK,
    find: `new FrameSplitter(HANDSHAKE_BYTES_MAX)`,
    replace: `new FrameSplitter()`,
  }),
  mutant('unread-for-ever', 'a client may leave unread for ever what it has asked for', {
    file: LINK,
    find: `if (this.#isUnread) this.#reading.begin(this.#unreadMsMax);
      else this.#reading.end();`,
    replace: ``,
  }),
  mutant(
    'all-is-answered',
    'clients are read from, however much waits for them',
    {
      file: MEMORY,
      find: `    return this.#bytes > this.#bytesMax * TIGHT_SHARE ? 0 : OUTBOX_PAUSE_BYTES;`,
      replace: `    return Number.POSITIVE_INFINITY;`,
    },
    {
      file: MEMORY,
      find: `    if (this.#bytes > this.#bytesMax) this.#shed();`,
      replace: ``,
    },
  ),
  mutant(
    'first-come',
    'whoever has sent much has all of it taken before others have their turn',
    {
      file: LINK,
      find: `    if (this.#share.turns.isOver) this.#rest();
    else this.#takeSome();`,
      replace: `    this.#takeSome();`,
    },
    {
      file: LINK,
      find: `if (this.#writer.waitingBytes > ANSWER_BYTES_PER_TURN || (taken % REQUESTS_PER_LOOK === 0 && this.#share.turns.isOver)) this.#rest();`,
      replace: `{}`,
    },
  ),
];
