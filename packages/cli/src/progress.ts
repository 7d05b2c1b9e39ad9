/** How far long work has come, on a line of its own that is written again and again; on a line each where nobody sits before a terminal and asks for it. */
import type { OnProgress, WorkProgress } from '@quorate/node';
import type { Io } from './io.js';

/** So often at most, in milliseconds. */
const INTERVAL_MS = 200;
const ERASE_TO_END = '\u001b[K';
const STEPS = { read: 'reading', write: 'writing' } as const;

export class ProgressLine {
  readonly onProgress: OnProgress;
  readonly #io: Io;
  readonly #isTerminal: boolean;
  #shownAt = Number.NEGATIVE_INFINITY;
  #hidden: string | undefined;

  /** @param asked by an option; a terminal is shown it anyway. */
  constructor(io: Io, asked = false) {
    this.#io = io;
    this.#isTerminal = (io.stderr as { isTTY?: boolean }).isTTY === true;
    this.onProgress = this.#isTerminal || asked ? (progress) => this.#take(progressText(progress)) : () => {};
  }

  /** Shows the last news, and leaves the line. */
  end(): void {
    if (this.#hidden !== undefined) this.#show(this.#hidden);
    if (this.#isTerminal && this.#shownAt > 0) this.#io.stderr.write(`\r${ERASE_TO_END}`);
  }

  #take(text: string): void {
    if (performance.now() - this.#shownAt < INTERVAL_MS) this.#hidden = text;
    else this.#show(text);
  }

  #show(text: string): void {
    this.#hidden = undefined;
    this.#shownAt = performance.now();
    this.#io.stderr.write(this.#isTerminal ? `\r${text}${ERASE_TO_END}` : `${text}\n`);
  }
}

export function progressText({ step, done, total, unit }: WorkProgress): string {
  const amount = (count: number): string => (unit === 'bytes' ? bytesText(count) : `${count}`);
  const name = unit === 'bytes' ? '' : ` ${unit}`;
  if (total === undefined) return `${STEPS[step]}: ${amount(done)}${name}`;
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
  return `${STEPS[step]}: ${amount(done)} of ${amount(total)}${name}, ${percent} %`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
