import { platform } from './platform.js';

/** Says of a signal that any number of listeners is meant: Node warns of a leak from the eleventh on. Other platforms do not mind. */
export function allowManyListeners(signal: object): void {
  platform.process?.getBuiltinModule?.('node:events')?.setMaxListeners(0, signal);
}
