import { isProtocolError } from '@quorate/protocol';

/** What a peer or a client has sent is an input, whatever it is: undefined where it cannot be read. */
export function readPayload<T>(payload: Uint8Array, read: (payload: Uint8Array) => T): T | undefined {
  try {
    return read(payload);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
