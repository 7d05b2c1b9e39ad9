import type { Clock } from '@quorate/ports';

/**
 * Calls a function of the application's.
 *
 * What it throws is not ours to handle, nor may it stop us: it is thrown again from a task of its own, where the platform reports it as it
 * reports every uncaught exception.
 */
export function surface<T>(clock: Clock, callback: (value: T) => void, value: T): void {
  try {
    callback(value);
  } catch (error) {
    clock.defer(() => {
      throw error;
    });
  }
}
