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

  nameOfPassword(password: Uint8Array): string {
    const index = this.#all.findIndex((session) => session.password.every((byte, at) => byte === password[at]));
    if (index !== -1) return `of session ${index}, ${password.length} bytes`;
    return `${password.every((byte) => byte === 0) ? 'zeros' : 'unknown'}, ${password.length} bytes`;
  }
}
