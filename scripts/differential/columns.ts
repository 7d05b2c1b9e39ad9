/** A difference as text: every step of the history, and what theirs and ours have answered in two columns. */
import type { Request } from '@quorate/protocol';
import { type Step, stepName } from './history.ts';
import type { Message, Observation } from './observation.ts';
import type { Lap } from './run-history.ts';

const COLUMN = 78;

/** The laps of a history that differs in its last; `theirs` is who was compared with Quorate. */
export function columns(laps: readonly Lap[], theirs = 'Apache ZooKeeper'): string[] {
  const lines = [row(theirs, 'Quorate'), row('', '').replaceAll(' ', '-')];
  for (const [index, lap] of laps.entries()) {
    lines.push('', `${index + 1}. ${describeStep(lap.step)}`);
    lines.push(...observations(lap.theirs, lap.ours));
  }
  lines.push('');
  for (const { where, theirs: left, ours } of laps.at(-1)?.differences ?? [])
    lines.push(`differs: ${where}: theirs ${JSON.stringify(left)}, ours ${JSON.stringify(ours)}`);
  return lines;
}

function observations(theirs: Observation, ours: Observation): string[] {
  return [...new Set([...Object.keys(theirs), ...Object.keys(ours)])].sort().flatMap((connection) => {
    const [left, right] = [theirs, ours].map((observation) => linesOf(connection, observation));
    const count = Math.max(left?.length ?? 0, right?.length ?? 0);
    return Array.from({ length: count }, (_, i) => wrapped(left?.[i] ?? '', right?.[i] ?? '')).flat();
  });
}

function linesOf(connection: string, observation: Observation): string[] {
  const seen = observation[connection];
  if (seen === undefined) return [];
  const messages = seen.messages.map((message) => `${connection}: ${describeMessage(message)}`);
  return seen.ended ? [...messages, `${connection}: ended`] : messages;
}

function describeMessage({ kind, ...rest }: Message): string {
  return `${String(kind)} ${describeValue(rest).slice(1, -1)}`;
}

function wrapped(left: string, right: string): string[] {
  const [lefts, rights] = [cut(left), cut(right)];
  return Array.from({ length: Math.max(lefts.length, rights.length) }, (_, i) => row(lefts[i] ?? '', rights[i] ?? ''));
}

function cut(text: string): string[] {
  return text.match(new RegExp(`.{1,${COLUMN}}`, 'gs')) ?? [''];
}

function row(left: string, right: string): string {
  return `${left.padEnd(COLUMN)} | ${right}`;
}

/** A step in one line. */
export function describeStep(step: Step): string {
  const who = `slot ${step.slot}`;
  if (step.kind === 'pipeline') return `${who}, together: ${step.requests.map((request) => describeRequest(request)).join('; ')}`;
  if (step.kind !== 'request') return `${who}: ${stepName(step)} ${describeFields(step, ['kind', 'slot'])}`;
  return `${who}: ${describeRequest(step.request)}${step.since === undefined ? '' : ` since=${JSON.stringify(step.since)}`}`;
}

function describeRequest(request: Request): string {
  return `${stepName({ kind: 'request', slot: 0, request })} ${describeFields(request, ['type', 'relativeZxid'])}`;
}

function describeFields(record: object, hidden: readonly string[]): string {
  const fields = Object.entries(record).filter(([key]) => !hidden.includes(key));
  return fields.map(([key, value]) => `${key}=${describeValue(value)}`).join(' ');
}

const HEX_BYTES_SHOWN = 24;

function describeValue(value: unknown): string {
  if (value instanceof Uint8Array) {
    const text = [...value.subarray(0, HEX_BYTES_SHOWN)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return value.length > HEX_BYTES_SHOWN ? `0x${text}… (${value.length} bytes)` : `0x${text}`;
  }
  if (Array.isArray(value)) return `[${value.map(describeValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}=${describeValue(item)}`)
      .join(' ')}}`;
  return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value);
}
