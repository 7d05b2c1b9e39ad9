export { SessionIds } from './session-ids.js';
export { passwordMatches, SESSION_PASSWORD_BYTES, sessionPassword } from './session-password.js';
export { SessionTable } from './session-table.js';
export { SessionTracker } from './session-tracker.js';
export { type WatchChange, type WatchFiring, type WatchKind, WatchTable } from './watch-table.js';
