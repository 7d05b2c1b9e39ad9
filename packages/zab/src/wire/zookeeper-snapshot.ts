/**
 * Where the snapshot ends that an Apache leader sends behind SNAP: it has no length, so it is read along, record by record, and nothing of it is kept
 * (`SerializeUtils.serializeSnapshot`, `DataTree.serialize`):
 *
 *     int     count of sessions, then per session: long id, int timeout
 *     int     count of access control lists, then per list: long number, ACL[]
 *     per znode, in pre-order: string path, buffer data, long list, StatPersisted
 *     string  "/", which is no znode's: the root's path is empty
 *     string  "BenWasHere"
 *
 * Work and memory are linear in what has come.
 */
import { ProtocolError } from '@quorate/protocol';

/** What stands at the end of a snapshot on a learner channel. */
export const SNAPSHOT_SIGNATURE = 'BenWasHere';

/** Field `ephemeralOwner` and its ten neighbours. */
const STAT_BYTES = 60;
const LONG_BYTES = 8;
const INT_BYTES = 4;

/** What comes next. A string is its length, then its bytes. */
type Field =
  | 'SESSION_COUNT'
  | 'SESSION'
  | 'LIST_COUNT'
  | 'LIST'
  | 'SCHEME_LENGTH'
  | 'ID_LENGTH'
  | 'PATH_LENGTH'
  | 'PATH'
  | 'DATA_LENGTH'
  | 'SIGNATURE'
  | 'END';

export class SnapshotScanner {
  #field: Field = 'SESSION_COUNT';
  /** Bytes that are to be passed over before `#field` begins. */
  #toPass = 0;
  /** Records of the present kind that are still to come. */
  #left = 0;
  /** Of the present list. */
  #aclsLeft = 0;
  #pathLength = 0;
  /** The bytes of a field that has come in part. */
  readonly #part: number[] = [];

  /** All of the snapshot has come. */
  get isComplete(): boolean {
    return this.#field === 'END' && this.#toPass === 0;
  }

  /**
   * Reads on. Gives how many of the bytes belong to the snapshot: all of them until it is complete.
   *
   * @throws ProtocolError where they are no snapshot.
   */
  scan(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.isComplete) {
      if (this.#toPass > 0) {
        const passed = Math.min(this.#toPass, bytes.length - at);
        this.#toPass -= passed;
        at += passed;
      } else {
        this.#part.push(bytes[at++] as number);
        if (this.#part.length === this.#fieldBytes) this.#take();
      }
    }
    return at;
  }

  /** How many bytes of the present field are looked at. */
  get #fieldBytes(): number {
    if (this.#field === 'SESSION') return LONG_BYTES + INT_BYTES;
    if (this.#field === 'LIST') return LONG_BYTES + INT_BYTES;
    if (this.#field === 'SCHEME_LENGTH') return INT_BYTES + INT_BYTES;
    if (this.#field === 'PATH') return 1;
    if (this.#field === 'SIGNATURE') return INT_BYTES + SNAPSHOT_SIGNATURE.length;
    return INT_BYTES;
  }

  #take(): void {
    const part = this.#part.splice(0);
    const int = part.slice(-INT_BYTES).reduce((value, byte) => (value << 8) | byte, 0);
    switch (this.#field) {
      case 'SESSION_COUNT':
        this.#left = notNegative(int);
        return this.#next(this.#left > 0 ? 'SESSION' : 'LIST_COUNT');
      case 'SESSION':
        return this.#next(--this.#left > 0 ? 'SESSION' : 'LIST_COUNT');
      case 'LIST_COUNT':
        this.#left = notNegative(int);
        return this.#next(this.#left > 0 ? 'LIST' : 'PATH_LENGTH');
      case 'LIST':
        this.#left--;
        this.#aclsLeft = Math.max(0, int);
        return this.#nextAcl();
      case 'SCHEME_LENGTH':
        return this.#next('ID_LENGTH', notNegative(int));
      case 'ID_LENGTH':
        this.#toPass = notNegative(int);
        this.#aclsLeft--;
        return this.#nextAcl();
      case 'PATH_LENGTH':
        this.#pathLength = notNegative(int);
        return this.#next(this.#pathLength === 0 ? 'DATA_LENGTH' : 'PATH');
      case 'PATH':
        // A path begins with a slash, so one of a single byte is the end.
        if (this.#pathLength === 1) return this.#next('SIGNATURE');
        return this.#next('DATA_LENGTH', this.#pathLength - 1);
      case 'DATA_LENGTH':
        return this.#next('PATH_LENGTH', Math.max(0, notBelow(int, -1)) + LONG_BYTES + STAT_BYTES);
      case 'SIGNATURE':
        if (String.fromCharCode(...part.slice(INT_BYTES)) !== SNAPSHOT_SIGNATURE)
          throw new ProtocolError('BAD_VALUE', `a snapshot does not end with "${SNAPSHOT_SIGNATURE}"`);
        return this.#next('END');
      default:
        return;
    }
  }

  #nextAcl(): void {
    if (this.#aclsLeft > 0) this.#field = 'SCHEME_LENGTH';
    else this.#field = this.#left > 0 ? 'LIST' : 'PATH_LENGTH';
  }

  #next(field: Field, toPass = 0): void {
    this.#field = field;
    this.#toPass = toPass;
  }
}

function notNegative(length: number): number {
  return notBelow(length, 0);
}

function notBelow(length: number, least: number): number {
  if (length < least) throw new ProtocolError('NEGATIVE_LENGTH', `a length in a snapshot is ${length}`);
  return length;
}
