/** Bugs that stores have had, or that this one invites: each has to be found by a part of `npm run test:storage`. */
import type { Edit, Mutant } from '../mutants/mutant.ts';

const LOG = 'packages/log/src/';

function mutant(id: string, title: string, ...edits: readonly Edit[]): Mutant {
  return { id, title, origin: 'reliability: storage', level: 'zab', edits };
}

function edit(file: string, find: string, replace: string): Edit {
  return { file: `${LOG}${file}.ts`, find, replace };
}

export const MUTANTS: readonly Mutant[] = [
  mutant(
    'append-unflushed',
    'an append completes when it is written',
    edit('segment-writer', `    yield* wait<void>((done) => this.#file.flush(done));\n    segment.end`, '    segment.end'),
  ),
  mutant(
    'segment-name-unflushed',
    'the directory is not flushed after a segment has been made',
    edit('spare-segment', `    yield* wait<void>((done) => disk.flushDirectory(done));\n    return`, '    return'),
  ),
  mutant(
    'snapshot-unflushed',
    'a snapshot counts before it is flushed',
    edit(
      'snapshot-file',
      `  yield* wait<void>((done) => file.flush(done));\n  yield* wait<void>((done) => disk.flushDirectory(done));`,
      '',
    ),
  ),
  mutant(
    'torn-is-damage',
    'a record behind a hole makes the hole damage, whatever had been flushed',
    edit('segment-reader', 'record !== undefined && record.durableTo > offset', 'record !== undefined'),
  ),
  mutant(
    'damage-is-torn',
    'the log ends at the first record that cannot be read',
    edit('recovery', 'if (wasSafe)', 'if (end !== undefined)'),
  ),
  mutant(
    'no-note',
    'nothing says that the last batch is safe',
    edit('segment-writer', 'if (this.#notedTo === end.offset) return;', 'if (id > 0) return;'),
  ),
  mutant(
    'short-file',
    'a file may be shorter than it was made',
    edit('recovery', 'entry.end === undefined && size < header.reserved', 'entry.end === undefined && size < 0'),
  ),
  mutant(
    'body-unchecked',
    'only the header of a record is checked',
    edit('record', ' && chainThrough(record, payloads, lastZxidIn(record)) === record.chain', ''),
  ),
  mutant(
    'chunk-unchecked',
    'the chunks of a snapshot are not checked',
    edit('snapshot-file', ' || checksum !== chunkChecksum({ chain, at, chunk })', ''),
  ),
  mutant(
    'manifest-copies-together',
    'the second copy of a manifest is touched before the first is flushed',
    edit(
      'manifest-store',
      `      yield* wait<void>((done) => file.flush(done));\n      if (known`,
      `      if (copy === this.#last) for (const each of this.#files) yield* wait<void>((done) => (each as DiskFile).flush(done));\n      if (known`,
    ),
  ),
  mutant(
    'manifest-newer-first',
    'a start writes over the newer copy first',
    edit('manifest-store', '[1 - this.#last, this.#last]', '[this.#last, 1 - this.#last]'),
  ),
  mutant(
    'believed-unflushed',
    'a start believes what a killed process has written without a flush',
    edit(
      'log-storage',
      `      yield* wait<void>((done) => file.flush(done));\n      file.close();\n    }\n    yield* this.#manifest.settle`,
      `      file.close();\n    }\n    yield* this.#manifest.settle`,
    ),
  ),
  mutant(
    'superseded-counts',
    'a snapshot of its own counts although one has been installed since',
    edit('log-storage', `    if (superseded) return;\n`, ''),
    edit('log-storage', 'if (!pending.superseded) yield* this.#restructure', 'if (entry.id > 0) yield* this.#restructure'),
  ),
  mutant(
    'failure-forgotten',
    'after a failure later calls go on',
    edit('tasks', `    this.#failure = error;\n`, ''),
    edit('tasks', `    this.#concerned.clear();\n    this.#end();`, '    this.#concerned.clear();'),
    edit('log-storage', '      onFailure: (error) => {', '      onFailure: (error) => {\n        this.#working = false;'),
  ),
];
