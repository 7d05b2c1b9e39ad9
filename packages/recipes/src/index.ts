export type { WaitOptions } from './deadline.js';
export { Hold, type HoldOptions } from './hold.js';
export { type AcquireOptions, Lock, type LockOptions } from './lock.js';
export type { ZnodeOptions } from './parents.js';
export { pause, persevere } from './persevere.js';
export { isRecipeError, RecipeError, type RecipeErrorCode } from './recipe-error.js';
