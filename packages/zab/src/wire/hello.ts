/**
 * The handshake of a connection. Each end says who it is, whom it means, what for, and the nonce that frames for it bear from then on.
 *
 * 1. The opener sends its hello, in a frame without a nonce.
 * 2. Whoever has accepted sends its own, in a frame with the opener's nonce: it can only be the answer.
 * 3. The opener sends an empty frame with the acceptor's nonce: so its hello is no old one that has come again.
 */
import { isProtocolError, JuteReader, JuteWriter } from '@quorate/protocol';
import type { Sid } from '../config.js';
import type { Nonce } from './frame.js';
import { ENSEMBLE_ID_BYTES_MAX, readEnsembleId, readSid, writeEnsembleId } from './message-codec.js';
import type { ChannelPurpose, WireFault } from './violation.js';

/** `QZAB` */
const MAGIC = 0x515a_4142;

/** Changes with the bytes of any message. */
const VERSION = 1;

/** The purposes in the order of their numbers, from 1. */
const PURPOSES: readonly ChannelPurpose[] = ['ELECTION', 'LEARNER'];

/** The longest hello: seven integers and a nonce, with room to grow, and the name of the ensemble. */
export const HELLO_BYTES_MAX = 64 + ENSEMBLE_ID_BYTES_MAX;

export interface Hello {
  readonly purpose: ChannelPurpose;
  readonly from: Sid;
  readonly to: Sid;
  /** Empty where it is not known. */
  readonly ensembleId: string;
  /** Drawn by the sender: what is meant for it bears this. */
  readonly nonce: Nonce;
}

/** @throws RangeError where the name of the ensemble is too long. */
export function encodeHello({ purpose, from, to, ensembleId, nonce }: Hello): Uint8Array {
  const writer = new JuteWriter();
  writer.int(MAGIC);
  writer.int(VERSION);
  writer.int(PURPOSES.indexOf(purpose) + 1);
  writer.int(from);
  writer.int(to);
  writer.int(nonce.high);
  writer.int(nonce.low);
  writeEnsembleId(writer, ensembleId);
  return writer.finish();
}

/** The hello, or what is wrong with it. */
export function decodeHello(bytes: Uint8Array): Hello | WireFault {
  try {
    return readHello(new JuteReader(bytes));
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return { rule: 'BAD_HELLO', message: error.message };
  }
}

function readHello(reader: JuteReader): Hello | WireFault {
  const magic = reader.int();
  if (magic !== MAGIC) return { rule: 'BAD_HELLO', message: `a hello begins with ${magic}` };
  const version = reader.int();
  // Of another version nothing more is known.
  if (version !== VERSION) return { rule: 'OTHER_VERSION', message: `the other end speaks version ${version}, this one ${VERSION}` };
  const number = reader.int();
  const purpose = PURPOSES[number - 1];
  if (purpose === undefined) return { rule: 'BAD_HELLO', message: `no channel has the purpose ${number}` };
  const from = readSid(reader);
  const to = readSid(reader);
  const nonce = { high: reader.int() >>> 0, low: reader.int() >>> 0 };
  const ensembleId = readEnsembleId(reader);
  reader.finish();
  return { purpose, from, to, ensembleId, nonce };
}

/** What a server expects of a hello. */
export interface Expectation {
  readonly sid: Sid;
  readonly ensembleId: string;
  /** Of the answer: who was asked. */
  readonly peer: Sid | undefined;
  /** Of the answer: what it was asked for. */
  readonly purpose: ChannelPurpose | undefined;
}

/** What is wrong with a hello, undefined where nothing is. */
export function faultOf(hello: Hello, { sid, ensembleId, peer, purpose }: Expectation): WireFault | undefined {
  if (hello.to !== sid) return { rule: 'WRONG_SERVER', message: `server ${hello.from} means server ${hello.to}, and this is ${sid}` };
  if (peer !== undefined && hello.from !== peer)
    return { rule: 'WRONG_SERVER', message: `server ${hello.from} answers where ${peer} was asked` };
  if (purpose !== undefined && hello.purpose !== purpose)
    return { rule: 'BAD_HELLO', message: `the purpose ${purpose} is answered by ${hello.purpose}` };
  if (hello.ensembleId !== '' && ensembleId !== '' && hello.ensembleId !== ensembleId)
    return { rule: 'OTHER_ENSEMBLE', message: `server ${hello.from} belongs to the ensemble ${hello.ensembleId}` };
  return undefined;
}
