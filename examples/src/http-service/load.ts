/** Callers of the service: each asks, waits for the answer and asks again. A call may be made twice, so one that fails is made again at another instance. */
import type { ServiceView } from '@quorate/recipes';
import type { Instance } from './places.ts';

const CALLERS = 8;
const TRIES_MAX = 3;
/** How long an instance may take, in milliseconds. */
const ANSWER_MS = 5_000;

export class Load {
  /** Calls by how many tries they took. */
  readonly byTries = new Map<number, number>();
  /** What each instance has answered lately, by its name: the version of its configuration. */
  readonly versions = new Map<string, number>();
  readonly failures: string[] = [];
  readonly #view: ServiceView<Instance>;
  readonly #callers: Promise<void>;
  #isOver = false;

  constructor(view: ServiceView<Instance>) {
    this.#view = view;
    this.#callers = Promise.all(Array.from({ length: CALLERS }, (_, caller) => this.#run(caller))).then(() => {});
  }

  /** Calls that were answered. */
  get answered(): number {
    return [...this.byTries.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when the last call has ended. */
  end(): Promise<void> {
    this.#isOver = true;
    return this.#callers;
  }

  async #run(caller: number): Promise<void> {
    while (!this.#isOver) {
      let tries = 0;
      try {
        await this.#view.use(
          async ({ data }) => {
            tries++;
            await this.#call(data.url, caller);
          },
          { tries: TRIES_MAX },
        );
        this.byTries.set(tries, (this.byTries.get(tries) ?? 0) + 1);
      } catch (error) {
        this.failures.push(error instanceof Error ? `${error.message}: ${String(error.cause)}` : String(error));
      }
      // Not as fast as it can: the point is that all of them are answered.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #call(url: string, caller: number): Promise<void> {
    const response = await fetch(`${url}/greeting/caller${caller}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await response.text();
    if (response.status !== 200 || !text.endsWith(`, caller${caller}!`)) throw new Error(`${url} answers ${response.status}: ${text}`);
    this.versions.set(response.headers.get('instance') ?? '', Number(response.headers.get('version')));
  }
}
