/** What was exercised: operations and how they came out, watches and the events that they have met, rows of docs/compatibility.md that were needed. */
import { requestsOf, type Step, stepName } from './history.ts';
import type { Message, Observation } from './observation.ts';
import type { Met } from './standing-watches.ts';

export class Tally {
  histories = 0;
  steps = 0;
  readonly outcomes = new Map<string, Map<string, number>>();
  readonly events = new Map<string, Map<string, number>>();
  readonly rows = new Map<string, number>();

  /** A step was the same at both, but for the rows. */
  add(step: Step, seen: Observation, met: readonly Met[], rows: readonly string[]): void {
    this.steps++;
    for (const row of rows) this.rows.set(row, (this.rows.get(row) ?? 0) + 1);
    for (const { by, event } of met) count(this.events, by, event);
    const { messages = [], ended = false } = seen[`slot ${step.slot}`] ?? {};
    if (step.kind === 'pipeline') this.#countTogether(step, messages);
    else if (step.kind !== 'drop') count(this.outcomes, stepName(step), `${outcomeOf(step, messages)}${ended ? ', end' : ''}`);
  }

  #countTogether(step: Step, messages: readonly Message[]): void {
    const replies = messages.filter(({ kind }) => kind === 'reply');
    for (const index of requestsOf(step).keys()) {
      const reply = replies[index];
      count(this.outcomes, 'several under way', reply === undefined ? 'none' : resultOf(reply));
    }
  }
}

function outcomeOf(step: Step, messages: readonly Message[]): string {
  const isHandshake = step.kind === 'connect' || step.kind === 'expire';
  const answer = messages.findLast(({ kind }) => (isHandshake ? kind === 'connected' : kind === 'reply' || kind === 'opaque'));
  if (answer === undefined) return 'none';
  if (isHandshake) return answer['timeOut'] === 0 ? 'refused' : 'OK';
  return resultOf(answer);
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
