/** The framing of a multi, in requests and in answers (record `MultiHeader`): before each item, and once more behind the last one. */
import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';
import { OpCode } from './opcode.js';

const NO_ERR = -1;

/** Reads the items up to and with the closing header. An item takes at least its header of 9 bytes, which bounds their number. */
export function readMulti<T>(reader: JuteReader, readItem: (reader: JuteReader, type: number) => T): T[] {
  const items: T[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    // The header's err says nothing that the item does not: requests carry −1, results the err of their body.
    reader.int();
    if (done) return items;
    items.push(readItem(reader, type));
  }
}

/** Writes the header of one item. A request's `err` is −1, a result's that of its body. */
export function writeMultiHeader(writer: JuteWriter, type: number, err = NO_ERR): void {
  writer.int(type);
  writer.bool(false);
  writer.int(err);
}

/** Writes the header behind the last item. */
export function writeMultiEnd(writer: JuteWriter): void {
  writer.int(OpCode.error);
  writer.bool(true);
  writer.int(NO_ERR);
}
