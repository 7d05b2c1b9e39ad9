/** What the real twins use of the platform. Every runtime that Quorate names has these. */
interface Platform {
  readonly performance: { now(): number };
  readonly crypto: { getRandomValues<T extends Uint32Array>(array: T): T };
  setTimeout(task: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
  queueMicrotask(task: () => void): void;
  /** Node, Bun and Deno; absent in browsers. */
  setImmediate?(task: () => void): unknown;
  /** Likewise. */
  readonly process?: { getBuiltinModule?(name: 'node:events'): { setMaxListeners(count: number, target: object): void } | undefined };
}

/**
 * The platform, seen through the interface above. The names stay out of the global scope of the compiler,
 * so that a core which compiles this file along with its own still cannot write `performance` or `setTimeout`.
 */
export const platform = globalThis as unknown as Platform;
