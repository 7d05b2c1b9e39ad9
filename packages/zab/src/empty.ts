/** Takes everything out. Popped and not cut: an array whose length is set to 0 loses its store, and takes a new one with the next item. */
export function empty(items: unknown[]): void {
  while (items.length > 0) items.pop();
}
