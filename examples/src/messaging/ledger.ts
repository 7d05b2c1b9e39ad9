/** What the consumers of the example have handled: each writes lines to a file of its own, and in the end all files are compared with what was published. */
import { appendFileSync, closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Message } from './broker.ts';

/** One message, handled once. */
interface Entry {
  /** Of the owner of the partition at that time. */
  readonly token: number;
  readonly key: string;
  /** Counts the messages of the key from 1. */
  readonly number: number;
  readonly id: string;
}

export class Ledger {
  readonly #file: string;

  constructor(folder: string, consumer: string) {
    this.#file = join(folder, `${consumer}.txt`);
  }

  /** Returns when it is written: a process that is killed has handled what stands here, and nothing else. */
  write({ key, body, id }: Message, token: number): void {
    appendFileSync(this.#file, `${token} ${key} ${body} ${id}\n`);
  }
}

export interface Audit {
  /** Different messages that were handled. */
  readonly messages: number;
  /** How often one was handled again. */
  readonly duplicates: number;
  /** Of those that were published. */
  readonly missing: number;
  /** Messages that came before an earlier one of their key. */
  readonly outOfOrder: number;
}

/** Reads the ledgers of a folder, each from where it was read last. */
export class Auditor {
  readonly #folder: string;
  readonly #files = new Map<string, number>();
  readonly #entries: Entry[] = [];
  readonly #ids = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** How many different messages were handled until now. */
  look(): number {
    for (const name of readdirSync(this.#folder)) {
      const file = openSync(join(this.#folder, name), 'r');
      const from = this.#files.get(name) ?? 0;
      const bytes = Buffer.alloc(fstatSync(file).size - from);
      readSync(file, bytes, { position: from });
      closeSync(file);
      // The last line may be half written.
      const end = bytes.lastIndexOf('\n') + 1;
      this.#files.set(name, from + end);
      for (const line of bytes.toString('utf8', 0, end).split('\n').slice(0, -1)) this.#add(line);
    }
    return this.#ids.size;
  }

  /** @param published how many messages of each key were published. */
  finish(published: ReadonlyMap<string, number>): Audit {
    this.look();
    // A partition has one owner after another, by the order of their tokens. What one of them has written is in order.
    this.#entries.sort((a, b) => a.token - b.token);
    const seen = new Set<string>();
    const last = new Map<string, number>();
    let outOfOrder = 0;
    for (const { id, key, number } of this.#entries) {
      if (seen.has(id)) continue;
      seen.add(id);
      if (number <= (last.get(key) ?? 0)) outOfOrder++;
      last.set(key, number);
    }
    const all = [...published.values()].reduce((sum, count) => sum + count, 0);
    return { messages: seen.size, duplicates: this.#entries.length - seen.size, missing: all - seen.size, outOfOrder };
  }

  #add(line: string): void {
    const [token = '', key = '', number = '', id = ''] = line.split(' ');
    this.#entries.push({ token: Number(token), key, number: Number(number), id });
    this.#ids.add(id);
  }
}
