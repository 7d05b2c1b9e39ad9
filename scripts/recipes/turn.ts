/** Resolves when every promise that is settled by now has been heard. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
