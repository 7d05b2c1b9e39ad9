import type { Clock } from './clock.js';
import { type Answered, type Disk, DiskError, type DiskFile, type Finished } from './disk.js';
import { oneIn, type Random, randomBelow } from './random.js';

/** A call, as it is about to be done: enough to make one of many fail, or to look at the disk between two. */
export interface DiskCall {
  /** How many calls there were before. */
  readonly index: number;
  readonly operation: keyof Disk | keyof DiskFile;
  readonly file: string | undefined;
}

/** What goes wrong with a call. A short write leaves the first half of its bytes. */
export type DiskFault = 'IO' | 'NO_SPACE' | 'SHORT_WRITE';

export interface MemoryDiskOptions {
  /** Callbacks are deferred by it. */
  readonly clock: Pick<Clock, 'defer'>;
  /** What fits on it, in bytes; no limit when absent. */
  readonly capacityBytes?: number;
  /** What survives or is lost as a whole, in bytes; 512 when absent. */
  readonly sectorBytes?: number;
  /** Sees every call before it is done, and may let it fail. */
  readonly onCall?: (call: DiskCall) => DiskFault | undefined;
}

/** A part of what would not have to survive the loss of power: bytes within one sector, or whether a name exists. */
export interface Unflushed {
  readonly file: string;
  /** How many bytes; 1 for a name. */
  readonly length: number;
}

/**
 * A disk in memory. What has been flushed and what has not are kept apart, so that a test can let the power fail, at any call and with any part of the
 * unflushed surviving.
 */
export class MemoryDisk implements Disk {
  readonly #options: MemoryDiskOptions;
  #names = new Map<string, Content>();
  /** The names that would survive. */
  #flushed: { names: Map<string, Content> } = { names: new Map() };
  #calls = 0;
  /** Who has the disk; shared by all who have opened it. */
  #holder: { disk: MemoryDisk | undefined } = { disk: undefined };
  #closed = false;

  constructor(options: MemoryDiskOptions) {
    this.#options = options;
  }

  /** A disk with these files, all of it flushed. */
  static of(files: ReadonlyMap<string, Uint8Array>, options: MemoryDiskOptions): MemoryDisk {
    const disk = new MemoryDisk(options);
    for (const [name, bytes] of files) disk.#names.set(name, new Content(bytes.slice()));
    disk.#flushed.names = new Map(disk.#names);
    return disk;
  }

  /** The same disk for another process: everything is there, flushed or not. */
  reopen(options: MemoryDiskOptions = this.#options): MemoryDisk {
    const disk = new MemoryDisk(options);
    disk.#names = this.#names;
    disk.#flushed = this.#flushed;
    disk.#holder = this.#holder;
    return disk;
  }

  /** Another disk with the same on it, what is flushed and what is not. */
  copy(options: MemoryDiskOptions = this.#options): MemoryDisk {
    const disk = new MemoryDisk(options);
    const copies = new Map(this.#everything().map(([, content]) => [content, content.copy()]));
    const copied = (names: Map<string, Content>): Map<string, Content> =>
      new Map(Array.from(names, ([name, content]) => [name, copies.get(content) as Content]));
    disk.#names = copied(this.#names);
    disk.#flushed = { names: copied(this.#flushed.names) };
    return disk;
  }

  /** The files as a process sees them now: copies. */
  files(): Map<string, Uint8Array> {
    return new Map(Array.from(this.#names, ([name, content]) => [name, content.live.slice()]));
  }

  // The loss of power

  /** What has been done and not flushed: names first, then bytes in the order in which they were written. */
  unflushed(): Unflushed[] {
    const parts: Unflushed[] = this.#unflushedNames().map((file) => ({ file, length: 1 }));
    for (const [file, content] of this.#everything()) for (const { bytes } of content.unflushed) parts.push({ file, length: bytes.length });
    return parts;
  }

  /**
   * The disk as a process finds it after the power has failed now. This one stays as it is.
   *
   * @param surviving how much of each part of `unflushed()` survives, in that order: 0 to its length, from its beginning.
   */
  afterPowerLoss(surviving: readonly number[], options: MemoryDiskOptions = this.#options): MemoryDisk {
    let at = 0;
    const names = new Map(this.#flushed.names);
    for (const name of this.#unflushedNames()) {
      if (surviving[at++] === 0) continue;
      const content = this.#names.get(name);
      if (content === undefined) names.delete(name);
      else names.set(name, content);
    }
    const survivors = new Map<Content, Uint8Array>();
    for (const [, content] of this.#everything()) {
      survivors.set(content, content.after(surviving.slice(at, at + content.unflushed.length)));
      at += content.unflushed.length;
    }
    return MemoryDisk.of(new Map(Array.from(names, ([name, content]) => [name, survivors.get(content) as Uint8Array])), options);
  }

  /** The same with a part that chance decides: each survives, or does not, or does up to some byte. */
  crash(random: Random, options: MemoryDiskOptions = this.#options): MemoryDisk {
    const surviving = this.unflushed().map(({ length }) => {
      if (oneIn(random, 8)) return randomBelow(random, length + 1);
      return oneIn(random, 2) ? length : 0;
    });
    return this.afterPowerLoss(surviving, options);
  }

  /** Names that came, went, or have become another file since the directory was flushed. */
  #unflushedNames(): string[] {
    const names = new Set([...this.#flushed.names.keys(), ...this.#names.keys()]);
    return [...names].filter((name) => this.#names.get(name) !== this.#flushed.names.get(name));
  }

  /** Every file that has a name or would have one again. */
  #everything(): [string, Content][] {
    const all = new Map<Content, string>();
    for (const [name, content] of this.#flushed.names) all.set(content, name);
    for (const [name, content] of this.#names) all.set(content, name);
    return Array.from(all, ([content, name]) => [name, content]);
  }

  // Decay

  /** Turns one bit over, in what is flushed and in what a process reads. */
  flip(file: string, bit: number): void {
    const content = this.#names.get(file);
    if (content === undefined) throw new RangeError(`there is no file ${file}`);
    content.flip(bit);
  }

  // Disk

  lock(done: Finished): void {
    this.#call('lock', undefined, done, () => {
      if (this.#holder.disk !== undefined) throw new DiskError('LOCKED', 'another process has this disk');
      this.#holder.disk = this;
    });
  }

  list(done: Answered<readonly string[]>): void {
    this.#call('list', undefined, done, () => [...this.#names.keys()]);
  }

  create(name: string, done: Answered<DiskFile>): void {
    this.#call('create', name, done, () => {
      if (this.#names.has(name)) throw new DiskError('EXISTS', `${name} exists`, { file: name });
      const content = new Content(new Uint8Array(0));
      this.#names.set(name, content);
      return this.#file(name, content);
    });
  }

  open(name: string, done: Answered<DiskFile>): void {
    this.#call('open', name, done, () => this.#file(name, this.#find(name)));
  }

  remove(name: string, done: Finished): void {
    this.#call('remove', name, done, () => {
      this.#find(name);
      this.#names.delete(name);
    });
  }

  flushDirectory(done: Finished): void {
    this.#call('flushDirectory', undefined, done, () => {
      this.#flushed.names = new Map(this.#names);
    });
  }

  freeBytes(done: Answered<number>): void {
    this.#call('freeBytes', undefined, done, () => this.#free());
  }

  close(): void {
    this.#closed = true;
    if (this.#holder.disk === this) this.#holder.disk = undefined;
  }

  #find(name: string): Content {
    const content = this.#names.get(name);
    if (content === undefined) throw new DiskError('NOT_FOUND', `there is no file ${name}`, { file: name });
    return content;
  }

  #free(): number {
    let used = 0;
    for (const content of this.#names.values()) used += content.live.length;
    return Math.max(0, (this.#options.capacityBytes ?? Number.MAX_SAFE_INTEGER) - used);
  }

  #file(name: string, content: Content): DiskFile {
    const { sectorBytes = 512 } = this.#options;
    const write = (offset: number, bytes: Uint8Array, partBytes = sectorBytes): void => {
      if (offset + bytes.length - content.live.length > this.#free()) throw noSpace(name);
      content.write(offset, bytes, partBytes);
    };
    return {
      size: (done) => this.#call('size', name, done, () => content.live.length),
      read: (offset, length, done) => this.#call('read', name, done, () => content.live.slice(offset, offset + length)),
      write: (offset, bytes, done) =>
        this.#call('write', name, done, (short) => {
          write(offset, short ? bytes.subarray(0, bytes.length >> 1) : bytes);
          if (short) throw noSpace(name);
        }),
      reserve: (length, done) =>
        this.#call('reserve', name, done, () => {
          const end = content.live.length;
          // Which of the zeros survive shows in the length alone: they are one part.
          if (length > end) write(end, new Uint8Array(length - end), length);
        }),
      flush: (done) =>
        this.#call(
          'flush',
          name,
          done,
          () => content.flush(),
          () => content.failFlush(),
        ),
      close: () => {},
    };
  }

  /** Does a call at once, and tells of it later. */
  #call<T>(
    operation: DiskCall['operation'],
    file: string | undefined,
    done: (result: T | DiskError) => void,
    act: (short: boolean) => T | void,
    fail: () => void = () => {},
  ): void {
    const fault = this.#options.onCall?.({ index: this.#calls++, operation, file });
    let result: T | DiskError;
    try {
      if (fault === 'IO' || fault === 'NO_SPACE') {
        fail();
        throw fault === 'IO'
          ? new DiskError('IO', `${operation} of ${file ?? 'the directory'} failed`, { ...(file !== undefined && { file }) })
          : noSpace(file);
      }
      result = act(fault === 'SHORT_WRITE') as T;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      result = error;
    }
    this.#options.clock.defer(() => {
      if (!this.#closed) done(result);
    });
  }
}

function noSpace(file: string | undefined): DiskError {
  return new DiskError('NO_SPACE', 'no space is left on the disk', { ...(file !== undefined && { file }) });
}

interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A file: what a process reads, what would survive, and the parts by which they differ. */
class Content {
  #live: Uint8Array;
  #liveLength: number;
  #flushed: Uint8Array<ArrayBuffer>;
  unflushed: Part[] = [];
  /** How many of these no flush makes safe any more, because one has failed. */
  #lost = 0;

  constructor(bytes: Uint8Array) {
    this.#live = bytes;
    this.#liveLength = bytes.length;
    this.#flushed = new Uint8Array(bytes);
  }

  copy(): Content {
    const copy = new Content(this.live.slice());
    copy.#flushed = new Uint8Array(this.#flushed);
    copy.unflushed = this.unflushed.slice();
    copy.#lost = this.#lost;
    return copy;
  }

  get live(): Uint8Array {
    return this.#live.subarray(0, this.#liveLength);
  }

  write(offset: number, bytes: Uint8Array, sectorBytes: number): void {
    const end = offset + bytes.length;
    if (end > this.#live.length) this.#live = grown(this.#live, Math.max(end, this.#live.length * 2));
    this.#live.set(bytes, offset);
    this.#liveLength = Math.max(this.#liveLength, end);
    for (let at = offset; at < end; ) {
      const next = Math.min(end, at - (at % sectorBytes) + sectorBytes);
      this.unflushed.push({ offset: at, bytes: bytes.slice(at - offset, next - offset) });
      at = next;
    }
  }

  flush(): void {
    for (const part of this.unflushed.splice(this.#lost)) this.#flushed = put(this.#flushed, part);
  }

  failFlush(): void {
    this.#lost = this.unflushed.length;
  }

  after(surviving: readonly number[]): Uint8Array {
    let bytes = new Uint8Array(this.#flushed);
    this.unflushed.forEach((part, i) => {
      const length = surviving[i] as number;
      if (length > 0) bytes = put(bytes, { offset: part.offset, bytes: part.bytes.subarray(0, length) });
    });
    return bytes;
  }

  flip(bit: number): void {
    for (const bytes of [this.#live, this.#flushed]) bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  }
}

function put(bytes: Uint8Array<ArrayBuffer>, { offset, bytes: part }: Part): Uint8Array<ArrayBuffer> {
  const result = offset + part.length > bytes.length ? grown(bytes, offset + part.length) : bytes;
  result.set(part, offset);
  return result;
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(length);
  result.set(bytes);
  return result;
}
