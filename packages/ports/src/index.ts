export type { Clock, Timer } from './clock.js';
export { realClock } from './platform/real-clock.js';
export { realRandom } from './platform/real-random.js';
export { oneIn, type Random, randomBelow } from './random.js';
export { SeededRandom } from './seeded-random.js';
export { VirtualClock } from './virtual-clock.js';
