/** What was exercised: operations and how they came out, watches and the events that they have met, rows of docs/compatibility.md that were needed. */
import { OpCode } from '@quorate/protocol';
import { type Step, stepName } from './history.ts';
import { isEvent, type Message, type Observation } from './observation.ts';

/** A watch that a connection has left: by which call, and for which path. */
interface Left {
  readonly by: string;
  readonly path: string;
}

/** What the events are that a call's watch can meet. */
const CHILD_WATCHES: ReadonlySet<string> = new Set(['getChildren', 'getChildren2', 'setWatches, child']);

/** What setWatches tells at once, by list. */
const AT_ONCE = {
  data: ['nodeDataChanged', 'nodeDeleted'],
  exist: ['nodeCreated'],
  child: ['nodeChildrenChanged', 'nodeDeleted'],
} as const satisfies Record<string, readonly string[]>;

export class Tally {
  histories = 0;
  steps = 0;
  readonly outcomes = new Map<string, Map<string, number>>();
  readonly events = new Map<string, Map<string, number>>();
  readonly rows = new Map<string, number>();
  /** By connection. */
  readonly #left = new Map<string, Left[]>();

  /** A history begins. */
  begin(): void {
    this.histories++;
    this.#left.clear();
  }

  /** A step was the same at both, but for the rows. */
  add(step: Step, seen: Observation, rows: readonly string[]): void {
    this.steps++;
    const actor = `slot ${step.slot}`;
    for (const row of rows) this.rows.set(row, (this.rows.get(row) ?? 0) + 1);
    const messages = seen[actor]?.messages ?? [];
    this.#countOutcome(step, messages, seen[actor]?.ended === true);
    if (step.kind === 'connect' || step.kind === 'drop' || messages.some(({ kind }) => kind === 'connected')) this.#left.delete(actor);
    const reply = messages.findLast(({ kind }) => kind === 'reply');
    for (const [connection, { messages: all }] of Object.entries(seen))
      for (const message of all) if (isEvent(message)) this.#onEvent(connection, message);
    for (const [connection, { ended }] of Object.entries(seen)) if (ended) this.#left.delete(connection);
    if (reply !== undefined && seen[actor]?.ended !== true) this.#onReply(actor, step, String(reply['err']), messages);
  }

  /** The watches of a slot are gone with its connection. */
  cut(slot: number): void {
    this.#left.delete(`slot ${slot}`);
  }

  #countOutcome(step: Step, messages: readonly Message[], ended: boolean): void {
    const answer = messages.findLast(({ kind }) =>
      step.kind === 'connect' ? kind === 'connected' : kind === 'reply' || kind === 'opaque',
    );
    const suffix = ended ? ', end' : '';
    if (step.kind === 'connect')
      count(this.outcomes, stepName(step), answer === undefined ? `none${suffix}` : answer['timeOut'] === 0 ? 'refused' : 'OK');
    else if (step.kind !== 'drop')
      count(this.outcomes, stepName(step), answer === undefined ? `none${suffix}` : `${resultOf(answer)}${suffix}`);
  }

  /** A watch that a call has left stays until it meets an event. */
  #onReply(actor: string, step: Step, err: string, messages: readonly Message[]): void {
    if (step.kind !== 'request') return;
    const { request } = step;
    const left = this.#left.get(actor) ?? [];
    if ('watch' in request && request.watch && (err === 'OK' || (request.type === OpCode.exists && err === 'NO_NODE')))
      left.push({ by: stepName(step), path: request.path });
    if (request.type === OpCode.setWatches) {
      // What was told at once has left no watch, and is counted as its event.
      const told = messages.filter(isEvent);
      for (const [list, by] of [
        [request.dataWatches, 'data'],
        [request.existWatches, 'exist'],
        [request.childWatches, 'child'],
      ] as const)
        for (const path of list) {
          const event = told.find(({ type, path: about }) => about === path && AT_ONCE[by].some((expected) => expected === type));
          if (event === undefined) left.push({ by: `setWatches, ${by}`, path });
          else count(this.events, `setWatches, ${by}, at once`, String(event['type']));
        }
    }
    this.#left.set(actor, left);
  }

  #onEvent(connection: string, { type, path }: Message): void {
    const left = this.#left.get(connection) ?? [];
    const met = left.filter((watch) => watch.path === path && meets(watch.by, String(type)));
    for (const by of new Set(met.map((watch) => watch.by))) count(this.events, by, String(type));
    this.#left.set(
      connection,
      left.filter((watch) => !met.includes(watch)),
    );
  }
}

function meets(by: string, event: string): boolean {
  if (event === 'nodeDeleted') return true;
  return CHILD_WATCHES.has(by) === (event === 'nodeChildrenChanged');
}

/** Of a multi that failed, the error of the operation that did. */
function resultOf(answer: Message): string {
  const response = answer['response'];
  if (answer['err'] !== 'OK' || typeof response !== 'object' || response === null || !('results' in response)) return String(answer['err']);
  const errors = (response.results as readonly Message[]).map(({ type, err }) => (type === 'error' ? String(err) : 'OK'));
  return errors.find((err) => err !== 'OK' && err !== 'RUNTIME_INCONSISTENCY') ?? 'OK';
}

function count(table: Map<string, Map<string, number>>, row: string, column: string): void {
  const cells = table.get(row) ?? new Map<string, number>();
  cells.set(column, (cells.get(column) ?? 0) + 1);
  table.set(row, cells);
}
