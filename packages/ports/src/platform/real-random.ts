import type { Random } from '../random.js';
import { platform } from './platform.js';

/** The platform's cryptographic random numbers. */
export const realRandom: Random = {
  uint32: () => platform.crypto.getRandomValues(new Uint32Array(1))[0] as number,
};
