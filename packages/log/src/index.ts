export { type Inspection, inspect } from './inspect.js';
export { LogStorage, type LogStorageOptions } from './log-storage.js';
export type { Notice } from './notice.js';
export { type Damage, describeDamage } from './recovery.js';
