export type { Clock, Timer } from './clock.js';
export { type Answered, type Disk, DiskError, type DiskErrorCode, type DiskFile, type Finished } from './disk.js';
export { type DiskCall, type DiskFault, MemoryDisk, type MemoryDiskOptions, type Unflushed } from './memory-disk.js';
export { allowManyListeners } from './platform/many-listeners.js';
export { realClock } from './platform/real-clock.js';
export { realRandom } from './platform/real-random.js';
export { oneIn, type Random, randomBelow } from './random.js';
export { SeededRandom } from './seeded-random.js';
export { VirtualClock } from './virtual-clock.js';
