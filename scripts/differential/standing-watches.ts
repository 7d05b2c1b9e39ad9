/**
 * The watches that the connections of a history have, as the reference's answers and events tell: for the table at the end of a run, and for the
 * differences that depend on a watch.
 */
import {
  AddWatchMode,
  ErrorCode,
  errorName,
  OpCode,
  type Request,
  type SetWatches2Request,
  type SetWatchesRequest,
} from '@quorate/protocol';
import { requestsOf, type Step, stepName } from './history.ts';
import { isEvent, type Message, type Observation } from './observation.ts';

type Mode = 'one-shot' | 'persistent' | 'recursive';

/** A watch: by which call it was left, and for what. */
export interface StandingWatch {
  readonly by: string;
  readonly path: string;
  readonly mode: Mode;
}

/** An event that a watch has met, or that setWatches has told at once. */
export interface Met {
  readonly by: string;
  readonly event: string;
}

/** What the events are that a call's watch can meet. */
const CHILD_CALLS = /^(getChildren2?|setWatches2?, child)$/;

/** What setWatches tells at once, by list. */
const AT_ONCE = {
  data: ['nodeDataChanged', 'nodeDeleted'],
  exist: ['nodeCreated'],
  child: ['nodeChildrenChanged', 'nodeDeleted'],
} as const satisfies Record<string, readonly string[]>;

export class StandingWatches {
  /** By connection. */
  readonly #left = new Map<string, readonly StandingWatch[]>();

  of(connection: string): readonly StandingWatch[] {
    return this.#left.get(connection) ?? [];
  }

  /** Whether a connection other than this has a watch at a path, or of everything below one above it. */
  isElsewhere(connection: string, path: string): boolean {
    return [...this.#left].some(
      ([other, watches]) => other !== connection && watches.some((watch) => watch.path === path || covers(watch, path)),
    );
  }

  /** Whether the reference cannot keep what the connection has: there is one mode for each path. */
  isMixed(connection: string): boolean {
    const watches = this.of(connection);
    return watches.some((watch) => watches.some(({ path, mode }) => path === watch.path && mode !== watch.mode));
  }

  /** The connection is gone. */
  drop(connection: string): void {
    this.#left.delete(connection);
  }

  /** A step has been done: gives what watches have met, and keeps what is left. */
  take(step: Step, seen: Observation): Met[] {
    const actor = `slot ${step.slot}`;
    const messages = seen[actor]?.messages ?? [];
    if (step.kind === 'connect' || step.kind === 'drop' || messages.some(({ kind }) => kind === 'connected')) this.drop(actor);
    // What setWatches tells at once is no change, and leaves watches where they are.
    const tells = step.kind === 'request' && 'relativeZxid' in step.request;
    const met = Object.entries(seen).flatMap(([connection, { messages: all }]) =>
      tells && connection === actor ? [] : all.filter(isEvent).flatMap((event) => this.#onEvent(connection, event)),
    );
    for (const [connection, { ended }] of Object.entries(seen)) if (ended) this.drop(connection);
    if (seen[actor]?.ended === true) return met;
    const replies = messages.filter(({ kind }) => kind === 'reply');
    const requests = requestsOf(step);
    for (const [index, request] of requests.entries()) {
      const reply = replies.at(index - requests.length);
      if (reply !== undefined) met.push(...this.#onReply(actor, request, String(reply['err']), messages));
    }
    return met;
  }

  #onReply(actor: string, request: Request, err: string, messages: readonly Message[]): Met[] {
    const isDone = err === errorName(ErrorCode.OK);
    const by = stepName({ kind: 'request', slot: 0, request });
    if ('watch' in request && request.watch && (isDone || (request.type === OpCode.exists && err === errorName(ErrorCode.NO_NODE))))
      this.#leave(actor, { by, path: request.path, mode: 'one-shot' });
    if (!isDone) return [];
    if (request.type === OpCode.addWatch) {
      const mode = request.mode === AddWatchMode.persistent ? 'persistent' : 'recursive';
      this.#leave(actor, { by: `addWatch, ${mode}`, path: request.path, mode });
    } else if (request.type === OpCode.removeWatches) {
      // Whatever was meant: to know of too few is what must not be.
      if (request.watcherType === 3)
        this.#left.set(
          actor,
          this.of(actor).filter(({ path }) => path !== request.path),
        );
    } else if (request.type === OpCode.setWatches || request.type === OpCode.setWatches2) {
      return this.#onSetWatches(actor, request, by, messages.filter(isEvent));
    }
    return [];
  }

  /** What was told at once has left no watch, and counts as its event. */
  #onSetWatches(actor: string, request: SetWatchesRequest | SetWatches2Request, by: string, told: readonly Message[]): Met[] {
    const met: Met[] = [];
    const lists = { data: request.dataWatches, exist: request.existWatches, child: request.childWatches };
    for (const name of ['data', 'exist', 'child'] as const)
      for (const path of lists[name]) {
        const event = told.find(({ type, path: about }) => about === path && AT_ONCE[name].some((expected) => expected === type));
        if (event === undefined) this.#leave(actor, { by: `${by}, ${name}`, path, mode: 'one-shot' });
        else met.push({ by: `${by}, ${name}, at once`, event: String(event['type']) });
      }
    if (request.type === OpCode.setWatches) return met;
    for (const path of request.persistentWatches) this.#leave(actor, { by: `${by}, persistent`, path, mode: 'persistent' });
    for (const path of request.persistentRecursiveWatches) this.#leave(actor, { by: `${by}, recursive`, path, mode: 'recursive' });
    return met;
  }

  #leave(connection: string, watch: StandingWatch): void {
    this.#left.set(connection, [...this.of(connection), watch]);
  }

  #onEvent(connection: string, event: Message): Met[] {
    const met = this.of(connection).filter((watch) => meets(watch, String(event['type']), String(event['path'])));
    this.#left.set(
      connection,
      this.of(connection).filter((watch) => watch.mode !== 'one-shot' || !met.includes(watch)),
    );
    return [...new Set(met.map(({ by }) => by))].map((by) => ({ by, event: String(event['type']) }));
  }
}

function meets({ by, path: at, mode }: StandingWatch, event: string, path: string): boolean {
  if (mode === 'recursive') return event !== 'nodeChildrenChanged' && covers({ path: at, mode }, path);
  if (path !== at) return false;
  return mode === 'persistent' || event === 'nodeDeleted' || CHILD_CALLS.test(by) === (event === 'nodeChildrenChanged');
}

function covers({ path: at, mode }: Pick<StandingWatch, 'path' | 'mode'>, path: string): boolean {
  return mode === 'recursive' && (path === at || at === '/' || (at !== '' && path.startsWith(`${at}/`)));
}
