import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';

/**
 * How one record is read from and written to jute, ZooKeeper's encoding.
 *
 * `read` takes exactly the bytes of the record and leaves what follows; it throws nothing but `ProtocolError`.
 */
export interface Codec<T> {
  read(reader: JuteReader): T;
  write(writer: JuteWriter, value: T): void;
}
