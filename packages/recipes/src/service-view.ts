/** The instances of a service, as one caller sees and uses them. */
import type { Client, StandardSchema } from '@quorate/client';
import { joinPath, type Zxid } from '@quorate/protocol';
import type { GroupView, MemberInfo } from './group-view.js';
import { InstanceHealth } from './instance-health.js';
import { type Balancer, type Candidate, roundRobin } from './load-balancing.js';
import { RecipeError } from './recipe-error.js';
import { decodeValue } from './schema.js';

/** How a view of a service is made. */
export interface ServiceViewOptions<T> {
  /** Who gets the next call; `roundRobin()` when absent. */
  readonly balancer?: Balancer | undefined;
  /** What the data of an instance must be. An instance with others is not used, and told to `onInvalid`. */
  readonly schema?: StandardSchema<unknown, T> | undefined;
  /** Is told of an instance that is not used because its data are not what they must be; nobody when absent. */
  readonly onInvalid?: ((error: RecipeError, id: string) => void) | undefined;
}

/** An instance of a service. */
export interface Instance<T> extends Candidate {
  readonly data: T;
}

/** What a choice may depend on. */
export interface PickOptions {
  /** What the call is about, for `byKey()`. */
  readonly key?: string | undefined;
  /** Ids of instances that are not wanted, unless there are no others. */
  readonly except?: ReadonlySet<string> | undefined;
}

/** What `use` takes. */
export interface UseOptions extends Pick<PickOptions, 'key'> {
  /** How many instances are tried, one after the other, when calls fail; 1 when absent. More of them are for calls that may be made twice. */
  readonly tries?: number | undefined;
}

interface Entry<T> {
  readonly id: string;
  readonly joined: Zxid;
  data: T;
  changed: Zxid;
  readonly health: InstanceHealth;
  underWay: number;
}

/** Made by `Discovery.view`. */
export class ServiceView<T> implements AsyncDisposable {
  readonly service: string;
  readonly #client: Client;
  readonly #group: GroupView;
  readonly #options: ServiceViewOptions<T>;
  readonly #balancer: Balancer;
  #entries = new Map<string, Entry<T>>();
  /** Settles when all that was told so far is taken in. */
  #last: Promise<void> = Promise.resolve();

  private constructor(client: Client, service: string, group: GroupView, options: ServiceViewOptions<T>) {
    this.service = service;
    this.#client = client;
    this.#group = group;
    this.#options = options;
    this.#balancer = options.balancer ?? roundRobin();
  }

  /** @internal */
  static async open<T>(client: Client, service: string, group: GroupView, options: ServiceViewOptions<T>): Promise<ServiceView<T>> {
    const view = new ServiceView(client, service, group, options);
    group.onChange(() => void view.#takeIn());
    await view.#takeIn();
    return view;
  }

  /** All instances, by ascending id. */
  get instances(): readonly Instance<T>[] {
    return [...this.#entries.values()].map(instanceOf);
  }

  /** Aborts when the view is not kept up to date any more: it was disposed of, or the session has ended. It goes on with the last that it knew. */
  get ended(): AbortSignal {
    return this.#group.ended;
  }

  /**
   * Chooses an instance: one that is not set aside, if there is one.
   *
   * @throws RecipeError NO_INSTANCE.
   */
  pick({ key, except }: PickOptions = {}): Instance<T> {
    const now = this.#client.clock.now();
    const all = [...this.#entries.values()];
    const wanted = all.filter(({ id }) => except?.has(id) !== true);
    const healthy = wanted.filter(({ health }) => !health.isAside(now));
    const [candidates] = [healthy, wanted, all].filter(({ length }) => length > 0);
    if (candidates === undefined)
      throw new RecipeError('NO_INSTANCE', `the service ${this.service} has no instance at ${this.#group.path}`);
    return this.#balancer({ candidates: candidates.map(instanceOf), key, random: this.#client.random });
  }

  /**
   * Calls an instance, counts the call as under way, and notes how it has gone.
   *
   * @throws what the last call throws; RecipeError NO_INSTANCE.
   */
  async use<R>(call: (instance: Instance<T>) => R | Promise<R>, { key, tries = 1 }: UseOptions = {}): Promise<R> {
    if (!Number.isInteger(tries) || tries < 1) throw new TypeError(`tries must be a whole number, 1 or more, not ${String(tries)}`);
    const except = new Set<string>();
    for (let left = tries; ; left--) {
      const instance = this.pick({ key, except });
      const entry = this.#entries.get(instance.id) as Entry<T>;
      entry.underWay++;
      try {
        const result = await call(instance);
        entry.health.noteSuccess();
        return result;
      } catch (error) {
        entry.health.noteError(this.#client.clock.now());
        except.add(instance.id);
        if (left === 1) throw error;
      } finally {
        entry.underWay--;
      }
    }
  }

  /** A call to an instance has failed, for callers that do without `use`. Three in a row set it aside for 10 s; when all are set aside they are used all the same. */
  noteError({ id }: { readonly id: string }): void {
    this.#entries.get(id)?.health.noteError(this.#client.clock.now());
  }

  /** A call to an instance has succeeded. */
  noteSuccess({ id }: { readonly id: string }): void {
    this.#entries.get(id)?.health.noteSuccess();
  }

  /** Ends the view. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#group[Symbol.asyncDispose]();
  }

  #takeIn(): Promise<void> {
    this.#last = this.#last.then(async () => {
      const entries = await Promise.all(this.#group.members.map((member) => this.#entryOf(member)));
      this.#entries = new Map(entries.flatMap((entry) => (entry === undefined ? [] : [[entry.id, entry]])));
    });
    return this.#last;
  }

  async #entryOf({ id, data, joined, changed }: MemberInfo): Promise<Entry<T> | undefined> {
    const known = this.#entries.get(id);
    if (known?.changed === changed) return known;
    try {
      const value = await decodeValue(joinPath(this.#group.path, id), data, this.#options.schema);
      // An instance that was started again is another one, and gets its chance.
      if (known?.joined !== joined) return { id, data: value, joined, changed, health: new InstanceHealth(), underWay: 0 };
      known.data = value;
      known.changed = changed;
      return known;
    } catch (error) {
      // What it throws is thrown from a task of its own.
      this.#client.clock.defer(() => this.#options.onInvalid?.(error as RecipeError, id));
      return undefined;
    }
  }
}

function instanceOf<T>({ id, data, underWay }: Entry<T>): Instance<T> {
  return { id, data, underWay };
}
