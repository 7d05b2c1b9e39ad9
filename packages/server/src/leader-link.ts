/**
 * The way from a server to its leader and back, which is the same where the leader is this server: requests, and what is said about sessions
 * (`Learner`, `LearnerHandler`).
 */
import { JuteWriter } from '@quorate/protocol';
import type { Sid } from '@quorate/zab';
import type { Broadcast } from './broadcast.js';
import { encodeForwardedRequest, type ForwardedRequest } from './forwarded-request.js';
import type { Leadership } from './leadership.js';
import { encodeSessionMessage, type HeldSession, type SessionMessage } from './session-messages.js';

export interface LeaderLinkOptions {
  readonly sid: Sid;
  readonly broadcast: Broadcast;
  /** The leader has told this server something about a session. */
  readonly onMessage: (message: SessionMessage) => void;
}

export class LeaderLink {
  readonly #options: LeaderLinkOptions;
  /** Defined while this server serves as the leader, and during its pauses. */
  leadership: Leadership | undefined;
  /** For the requests that go to another server. */
  readonly #writer = new JuteWriter();

  constructor(options: LeaderLinkOptions) {
    this.#options = options;
  }

  forward(forwarded: ForwardedRequest): void {
    if (this.leadership !== undefined) this.leadership.take(this.#options.sid, forwarded);
    else this.#options.broadcast.request(encodeForwardedRequest(forwarded, this.#writer));
  }

  /** This server wants the session. */
  renew(session: bigint, timeOut: number): void {
    if (this.leadership !== undefined) this.leadership.renew(this.#options.sid, session, timeOut);
    else this.#options.broadcast.revalidate(encodeSessionMessage({ type: 'renew', session, timeOut }));
  }

  /** This server has kept the connections of these sessions over a change of leader. */
  hold(sessions: readonly HeldSession[]): void {
    if (this.leadership !== undefined) this.leadership.hold(this.#options.sid, sessions);
    else if (sessions.length > 0) this.#options.broadcast.revalidate(encodeSessionMessage({ type: 'hold', sessions }));
  }

  /** From the leader, which is this server, to a server, which may be this one as well. */
  tell(to: Sid, message: SessionMessage): void {
    if (to === this.#options.sid) this.#options.onMessage(message);
    else this.#options.broadcast.answerRevalidate(to, encodeSessionMessage(message));
  }

  /** A message about sessions has come from another server. */
  onMessage(from: Sid, message: SessionMessage): void {
    if (message.type === 'renew') this.leadership?.renew(from, message.session, message.timeOut);
    else if (message.type === 'hold') this.leadership?.hold(from, message.sessions);
    else if (this.leadership === undefined) this.#options.onMessage(message);
  }
}
