/**
 * What a history is made of: steps, as data, that name sessions by slot and everything else that differs between two servers by a word.
 *
 * A path that begins with `~` lies in the folder that a run has for itself, so that trees begin equal; one that begins with `/zookeeper/quota~` where the
 * quotas of that folder are.
 */
import { type MultiOp, OpCode, opCodeName, type Request } from '@quorate/protocol';

/** How many sessions a history has at a time: slots 0, 1, 2. */
export const SLOTS = 3;

/** A request. A slot without a connection connects first, with its own session where it has one. */
export interface RequestStep {
  readonly kind: 'request';
  readonly slot: number;
  /** The `relativeZxid` of a setWatches or setWatches2 stands for nothing; `since` says what is sent. */
  readonly request: Request;
  readonly since?: Since;
}

/** Of a setWatches: nothing was seen, what was seen before the history, all that was seen until now, more than there is. */
export type Since = 'nothing' | 'start' | 'now' | 'future';

/** Several requests that are under way together. */
export interface PipelineStep {
  readonly kind: 'pipeline';
  readonly slot: number;
  readonly requests: readonly Request[];
}

/** A header and bytes that are no request of that type, or one that this code has no record for. */
export interface BytesStep {
  readonly kind: 'bytes';
  readonly slot: number;
  readonly type: number;
  readonly body: Uint8Array;
  /** Instead of the slot's next xid. */
  readonly xid?: number;
}

/** A handshake on a new connection, which is the slot's from then on; the old one stays open where the server leaves it open. */
export interface ConnectStep {
  readonly kind: 'connect';
  readonly slot: number;
  /** The server, as one of as many as there are. */
  readonly server: number;
  /**
   * new: a session is made. own: the slot's, again. other: that of the next slot. stranger: the slot's, with a wrong password.
   * closed: one that was ended. unknown: an id that was never given out.
   */
  readonly session: 'new' | 'own' | 'other' | 'stranger' | 'closed' | 'unknown';
  readonly timeOut: number;
  readonly seen: Since;
  readonly withReadOnly: boolean;
}

/** The client's side of a connection goes away without a word. */
export interface DropStep {
  readonly kind: 'drop';
  readonly slot: number;
}

/** The slot's client connects once more, asks for the shortest timeout and is never heard again; until its session has expired nothing else happens. */
export interface ExpireStep {
  readonly kind: 'expire';
  readonly slot: number;
  /** Less than the shortest timeout. */
  readonly timeOut: number;
}

export type Step = RequestStep | PipelineStep | BytesStep | ConnectStep | DropStep | ExpireStep;

/** What a step is, in one word: an operation by ZooKeeper's name, else its kind. */
export function stepName(step: Step): string {
  if (step.kind === 'request') return opCodeName(step.request.type) ?? String(step.request.type);
  if (step.kind === 'bytes') return opCodeName(step.type) === undefined ? 'unknown opcode' : `${opCodeName(step.type)}, raw bytes`;
  return step.kind === 'connect' ? `connect (${step.session})` : step.kind;
}

/** The requests of a step, in the order of their replies. */
export function requestsOf(step: Step): readonly Request[] {
  if (step.kind === 'request') return [step.request];
  return step.kind === 'pipeline' ? step.requests : [];
}

/** The same, with the operations of a multi in its place. */
export function operationsOf(step: Step): readonly (Request | MultiOp)[] {
  return requestsOf(step).flatMap((request): readonly (Request | MultiOp)[] => (request.type === OpCode.multi ? request.ops : [request]));
}

/** True where ZooKeeper 3.8 answers nothing at all, so that nobody should wait for it. */
export function isSilent(step: Step): boolean {
  if (step.kind === 'request') return step.request.type === OpCode.check;
  return step.kind === 'bytes' && step.type === OpCode.check;
}

/** True of what only one server of theirs can be asked: an ensemble does not get over it, or has another znode there (docs/compatibility.md). */
export function isForOneServer(step: Step): boolean {
  if (step.kind === 'bytes') return step.type === OpCode.check || step.type === OpCode.reconfig;
  if (step.kind === 'request' && step.request.type === OpCode.check) return true;
  return operationsOf(step).some((op) => 'path' in op && op.path === '/zookeeper/config');
}

/** The path that a request is about, where it is about one. */
export function pathOf(step: Step): string | undefined {
  return step.kind === 'request' && 'path' in step.request ? step.request.path : undefined;
}
