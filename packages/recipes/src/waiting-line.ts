/** Those who wait for something to do: only the first of them looks for it. */
import type { CallOptions, Client } from '@quorate/client';
import { joinPath } from '@quorate/protocol';
import { Line, type Place } from './line.js';
import type { ZnodeOptions } from './parents.js';
import type { Watchpost } from './watchpost.js';

/** Where work comes from. */
export interface Source<T> {
  /** Takes some, or gives undefined where there is none for now. */
  tryTake(options: CallOptions): Promise<T | undefined>;
  /** Resolves when there may be some again. */
  untilWork(options: CallOptions): Promise<void>;
}

export class WaitingLine {
  readonly #line: Line<'taker'>;
  readonly #posts: Watchpost;

  constructor(client: Client, path: string, posts: Watchpost, options: ZnodeOptions) {
    this.#line = new Line(client, joinPath(path, 'takers'), ['taker'], options);
    this.#posts = posts;
  }

  /** Takes from a source as soon as it has something, after all who have waited for longer. */
  async take<T>(source: Source<T>, options: CallOptions): Promise<T> {
    // Where there is plenty nobody has to stand in line.
    const taken = await source.tryTake(options);
    if (taken !== undefined) return taken;
    const place = await this.#line.join('taker', undefined, options);
    try {
      await this.#first(place, options);
      for (;;) {
        const taken = await source.tryTake(options);
        if (taken !== undefined) return taken;
        await source.untilWork(options);
      }
    } finally {
      // The caller need not wait for that, and where it fails the session's end does it.
      this.#line.leave(place).catch(() => {});
    }
  }

  async #first(place: Place, options: CallOptions): Promise<void> {
    for (;;) {
      const last = (await this.#line.before(place, options)).at(-1);
      if (last === undefined) return;
      await this.#posts.gone(joinPath(this.#line.directory, last.name), options);
    }
  }
}
