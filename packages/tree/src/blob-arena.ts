/**
 * Names and data of znodes, as bytes in chunks. A blob is
 *
 *     int32   the znode that it is of, little-endian
 *     varint  bytes of the name × 2, + 1 where not all are ASCII
 *     varint  bytes of the data + 1, 0 for null
 *     name    in UTF-8, as a snapshot has it
 *     data
 *
 * and up to three bytes more, so that the next one begins at a multiple of four.
 *
 * Invariant: what was written is never written again. New data make a new blob, and a chunk of which less than half is alive is
 * emptied by copying what lives, and dropped. So a view of data stays what it was for as long as anybody holds it, in an answer on its way out or in a
 * frozen arena; the collector frees a chunk after the last of them.
 *
 * At worst, dead bytes are as many as living ones. Emptying a chunk copies 32 KiB at most, and each byte written pays for one byte copied.
 */
import { assert, decodeUtf8, encodeUtf8 } from '@quorate/protocol';

/** Stands for "no blob"; the number of the last place of the last chunk, which is never made. */
export const NO_BLOB = -1;

/** The size of a chunk, in bytes; the first ones are smaller, so that a small tree takes little. A blob that takes over a quarter has a chunk of its own. */
const CHUNK_BYTES = 64 * 1024;
const FIRST_CHUNK_BYTES = 4 * 1024;

/** A place is the number of a chunk, and 14 bits that count its words of four bytes. */
const PLACE_BITS = 14;
const PLACE_MASK = (1 << PLACE_BITS) - 1;

/** 16 GiB of chunks, and 4 GiB at least where each blob has one of its own. */
const CHUNKS_MAX = 2 ** (32 - PLACE_BITS) - 1;

const OWNER_BYTES = 4;

/** What the arena asks of the znodes when it moves their blobs. */
export interface BlobOwners {
  /** Where the blob of a znode is, as it was told last. */
  blobOf(owner: number): number;
  moveBlob(owner: number, to: number): void;
}

interface Chunk {
  readonly bytes: Uint8Array;
  /** Where the next blob goes. */
  end: number;
  /** The bytes of its blobs that are in use. */
  live: number;
}

export class BlobArena {
  private readonly owners: BlobOwners;
  private readonly chunkBytes: number;
  private chunks: (Chunk | undefined)[] = [];
  private readonly freeNumbers: number[] = [];
  /** The chunk that is being filled. */
  private open = NO_BLOB;
  // The blob that `look` has looked at.
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private isAscii = true;
  private nameAt = 0;
  private dataAt = 0;
  /** −1 for null. */
  private dataBytes = 0;

  constructor(owners: BlobOwners, chunkBytes = CHUNK_BYTES) {
    assert(chunkBytes <= CHUNK_BYTES, 'a place in a chunk has 14 bits');
    this.owners = owners;
    this.chunkBytes = chunkBytes;
  }

  /** Writes the blob of a znode whose name is `text` from `start` on. Returns where it is. */
  add(owner: number, text: string, start: number, data: Uint8Array | null): number {
    const encoded = isAscii(text, start) ? undefined : encodeUtf8(text.slice(start));
    const blob = this.begin(owner, encoded?.length ?? text.length - start, encoded === undefined, data);
    const { bytes, nameAt } = this;
    if (encoded !== undefined) bytes.set(encoded, nameAt);
    else for (let index = start; index < text.length; index++) bytes[nameAt + index - start] = text.charCodeAt(index);
    if (data !== null) bytes.set(data, this.dataAt);
    return blob;
  }

  /** Gives a znode other data, which makes it a blob of the same name elsewhere. */
  replaceData(owner: number, data: Uint8Array | null): void {
    this.look(this.owners.blobOf(owner));
    const { bytes, nameAt, dataAt } = this;
    const blob = this.begin(owner, dataAt - nameAt, this.isAscii, data);
    const to = this.nameAt - nameAt;
    for (let at = nameAt; at < dataAt; at++) this.bytes[to + at] = bytes[at] as number;
    if (data !== null) this.bytes.set(data, this.dataAt);
    // Making room may have moved the old blob.
    const old = this.owners.blobOf(owner);
    this.owners.moveBlob(owner, blob);
    this.free(old);
  }

  /** A blob is no longer needed; its owner has been told. */
  free(blob: number): void {
    this.look(blob);
    const number = blob >>> PLACE_BITS;
    const chunk = this.chunk(number);
    chunk.live -= sizeOf(this.dataAt + Math.max(this.dataBytes, 0) - offsetOf(blob));
    if (number !== this.open) this.emptyWhereDue(number, chunk);
  }

  /** The data: a view, for ever what it is now. */
  data(blob: number): Uint8Array | null {
    this.look(blob);
    return this.dataBytes < 0 ? null : this.bytes.subarray(this.dataAt, this.dataAt + this.dataBytes);
  }

  /** 0 for null. */
  dataLength(blob: number): number {
    this.look(blob);
    return Math.max(this.dataBytes, 0);
  }

  name(blob: number): string {
    this.look(blob);
    return decodeUtf8(this.bytes, this.nameAt, this.dataAt);
  }

  /** The length of the name as a string. */
  nameLength(blob: number): number {
    this.look(blob);
    return this.isAscii ? this.dataAt - this.nameAt : decodeUtf8(this.bytes, this.nameAt, this.dataAt).length;
  }

  /** The name in UTF-8, a view. */
  nameBytes(blob: number): Uint8Array {
    this.look(blob);
    return this.bytes.subarray(this.nameAt, this.dataAt);
  }

  /** Whether the name is `text` from `start` to `end`. */
  hasName(blob: number, text: string, start: number, end: number): boolean {
    this.look(blob);
    const { bytes, nameAt, dataAt } = this;
    if (!this.isAscii) return decodeUtf8(bytes, nameAt, dataAt) === text.slice(start, end);
    if (dataAt - nameAt !== end - start) return false;
    for (let index = start; index < end; index++) if (bytes[nameAt + index - start] !== text.charCodeAt(index)) return false;
    return true;
  }

  /** The blobs as they are now, to be read only. It takes time in proportion to the chunks. */
  freeze(): BlobArena {
    const frozen = new BlobArena(this.owners, this.chunkBytes);
    frozen.chunks = this.chunks.slice();
    return frozen;
  }

  /** The bytes of all chunks, living and dead. */
  get capacity(): number {
    return this.chunks.reduce((sum, chunk) => sum + (chunk?.bytes.length ?? 0), 0);
  }

  // Reading

  /** Finds the parts of a blob, and returns its owner. */
  private look(blob: number): number {
    const { bytes } = this.chunk(blob >>> PLACE_BITS);
    const start = offsetOf(blob);
    this.bytes = bytes;
    this.at = start + OWNER_BYTES;
    const nameHead = this.varint();
    this.isAscii = (nameHead & 1) === 0;
    this.dataBytes = this.varint() - 1;
    this.nameAt = this.at;
    this.dataAt = this.at + (nameHead >>> 1);
    return readOwner(bytes, start);
  }

  private varint(): number {
    let value = this.bytes[this.at++] as number;
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let shift = 7; ; shift += 7) {
      const byte = this.bytes[this.at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  private chunk(number: number): Chunk {
    return this.chunks[number] as Chunk;
  }

  // Writing

  /** Makes room for a blob and writes its head; its parts are then known as after `look`. */
  private begin(owner: number, nameBytes: number, ascii: boolean, data: Uint8Array | null): number {
    const nameHead = nameBytes * 2 + (ascii ? 0 : 1);
    const dataHead = data === null ? 0 : data.length + 1;
    const size = sizeOf(OWNER_BYTES + varintBytes(nameHead) + varintBytes(dataHead) + nameBytes + (data?.length ?? 0));
    const blob = this.allocate(size);
    const { bytes } = this.chunk(blob >>> PLACE_BITS);
    let at = offsetOf(blob);
    writeOwner(bytes, at, owner);
    at = writeVarint(bytes, at + OWNER_BYTES, nameHead);
    at = writeVarint(bytes, at, dataHead);
    this.bytes = bytes;
    this.nameAt = at;
    this.dataAt = at + nameBytes;
    return blob;
  }

  private allocate(size: number): number {
    if (size > this.chunkBytes >> 2) {
      const number = this.newChunk(size);
      const own = this.chunk(number);
      own.end = size;
      own.live = size;
      return number << PLACE_BITS;
    }
    let open = this.open === NO_BLOB ? undefined : this.chunk(this.open);
    if (open === undefined || open.end + size > open.bytes.length) open = this.nextOpen(open);
    const { end } = open;
    open.end += size;
    open.live += size;
    return (this.open << PLACE_BITS) | (end >>> 2);
  }

  private nextOpen(full: Chunk | undefined): Chunk {
    const number = this.open;
    const size = full === undefined ? FIRST_CHUNK_BYTES : full.bytes.length * 2;
    this.open = this.newChunk(Math.min(size, this.chunkBytes));
    if (full !== undefined) this.emptyWhereDue(number, full);
    return this.chunk(this.open);
  }

  private newChunk(size: number): number {
    const number = this.freeNumbers.pop() ?? this.chunks.length;
    assert(number < CHUNKS_MAX, 'the names and data of a tree take less than 16 GiB');
    this.chunks[number] = { bytes: new Uint8Array(size), end: 0, live: 0 };
    return number;
  }

  private emptyWhereDue(number: number, chunk: Chunk): void {
    if (chunk.live * 2 >= chunk.bytes.length) return;
    if (chunk.live > 0) this.copyLiving(number, chunk);
    this.chunks[number] = undefined;
    this.freeNumbers.push(number);
  }

  private copyLiving(number: number, { bytes, end }: Chunk): void {
    for (let at = 0; at < end; ) {
      const blob = (number << PLACE_BITS) | (at >>> 2);
      const owner = this.look(blob);
      const size = sizeOf(this.dataAt + Math.max(this.dataBytes, 0) - at);
      if (this.owners.blobOf(owner) === blob) {
        const to = this.allocate(size);
        this.chunk(to >>> PLACE_BITS).bytes.set(bytes.subarray(at, at + size), offsetOf(to));
        this.owners.moveBlob(owner, to);
      }
      at += size;
    }
  }
}

function offsetOf(blob: number): number {
  return (blob & PLACE_MASK) << 2;
}

/** The bytes of a blob, up to where the next one may begin. */
function sizeOf(bytes: number): number {
  return (bytes + 3) & ~3;
}

function isAscii(text: string, start: number): boolean {
  for (let index = start; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

function readOwner(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

function writeOwner(bytes: Uint8Array, at: number, owner: number): void {
  bytes[at] = owner;
  bytes[at + 1] = owner >> 8;
  bytes[at + 2] = owner >> 16;
  bytes[at + 3] = owner >> 24;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}

/** Seven bits to a byte, the lowest first; returns the position behind it. */
function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = rest | 0x80;
  bytes[at++] = rest;
  return at;
}
