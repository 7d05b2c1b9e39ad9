/** The log of an Apache ZooKeeper: what its files of txns say, in order (`FileTxnLog`, zookeeper.md 1.18). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DecodedTxn, decodeTxn } from '@quorate/protocol';

const MAGIC = 0x5a4b_4c47;
const HEADER_BYTES = 16;
const CHECKSUM_BYTES = 8;
const END_OF_RECORD = 0x42;

/** All txns in the logs of a folder `version-2`. */
export async function readLogs(folder: string): Promise<DecodedTxn[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('log.'));
  names.sort((one, other) => Number.parseInt(one.slice(4), 16) - Number.parseInt(other.slice(4), 16));
  const logs = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return logs.flatMap((log) => [...recordsOf(log)].map(decodeTxn));
}

/** The records of one file: a checksum, a length, that many bytes and a B. What is not written yet is zero. */
function* recordsOf(log: Buffer): Generator<Uint8Array> {
  if (log.readInt32BE(0) !== MAGIC) throw new Error('a log begins with ZKLG');
  let at = HEADER_BYTES;
  while (at + CHECKSUM_BYTES + 4 < log.length) {
    const length = log.readInt32BE(at + CHECKSUM_BYTES);
    if (length === 0) return;
    const start = at + CHECKSUM_BYTES + 4;
    at = start + length + 1;
    if (log[at - 1] !== END_OF_RECORD) throw new Error('a record of a log ends with a B');
    yield new Uint8Array(log.subarray(start, start + length));
  }
}
