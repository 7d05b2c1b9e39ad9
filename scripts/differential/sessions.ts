/** The sessions of a history at one server, by the names that both servers' have in common: in the order in which they were made. */

export interface Session {
  readonly id: bigint;
  readonly password: Uint8Array;
  /** It was ended by a closeSession. */
  closed: boolean;
}

export class Sessions {
  readonly #all: Session[] = [];

  get open(): readonly Session[] {
    return this.#all.filter(({ closed }) => !closed);
  }

  /** The session of a handshake's answer: one that is known, or a new one. */
  learn(id: bigint, password: Uint8Array): Session {
    const known = this.#all.find((session) => session.id === id);
    if (known !== undefined) return known;
    const session: Session = { id, password, closed: false };
    this.#all.push(session);
    return session;
  }

  nameOf(id: bigint): string {
    if (id === 0n) return 'none';
    const index = this.#all.findIndex((session) => session.id === id);
    return index === -1 ? 'one of nobody here' : `session ${index}`;
  }

  /** Whether a password is the one that its session was given first. Sessions of several servers may share one: it depends on 48 bits of the id. */
  nameOfPassword(id: bigint, password: Uint8Array): string {
    const session = this.#all.find((one) => one.id === id);
    const own = session !== undefined && session.password.every((byte, at) => byte === password[at]);
    return `${own ? 'its own' : password.every((byte) => byte === 0) ? 'zeros' : 'unknown'}, ${password.length} bytes`;
  }
}
