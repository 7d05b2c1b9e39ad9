import type { Status } from '@quorate/server';

/**
 * The one that leads and serves, of those who believe that they do. A leader that has lost its quorum without knowing it yet has an older epoch
 * than the one that was elected after it.
 */
export function newestLeader<T extends { readonly status: Status }>(places: readonly T[]): T | undefined {
  let newest: T | undefined;
  for (const place of places) {
    const { state, serving, epoch } = place.status;
    if (state === 'LEADING' && serving && (newest === undefined || epoch > newest.status.epoch)) newest = place;
  }
  return newest;
}
