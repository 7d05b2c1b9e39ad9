/** Services and the instances that there are of them. */
import type { CallOptions, Client, StandardSchema } from '@quorate/client';
import { joinPath, validatePath } from '@quorate/protocol';
import { checkComponent, type Joined, Membership } from './membership.js';
import type { ZnodeOptions } from './parents.js';
import { encodeValue } from './schema.js';
import { ServiceView, type ServiceViewOptions } from './service-view.js';

/** What `register` takes. */
export interface RegisterOptions<T> extends CallOptions {
  /** The name of the instance, of one component: what consistent hashing goes by. */
  readonly id: string;
  /** What callers need to know of it, such as where it listens: anything that has a form in JSON. */
  readonly data: T;
  readonly schema?: StandardSchema<unknown, T> | undefined;
}

/**
 * Services by name: an instance is there while its process is, and callers choose among those that are.
 *
 * @example
 * const discovery = new Discovery(client, '/services');
 * await using instance = await discovery.register('mail', { id: 'mail-1', data: { url: 'http://10.0.0.1:80' } });
 * // Elsewhere:
 * await using mail = await discovery.view<{ url: string }>('mail', { balancer: leastLoaded() });
 * const response = await mail.use(({ data }) => fetch(data.url), { tries: 3 });
 */
export class Discovery {
  readonly path: string;
  readonly #client: Client;
  readonly #options: ZnodeOptions;

  /** @param path the directory of the services, which is made when needed. @throws ZooKeeperError BAD_ARGUMENTS for what is no path. */
  constructor(client: Client, path: string, { acl }: ZnodeOptions = {}) {
    validatePath(path);
    this.path = path;
    this.#client = client;
    this.#options = { acl };
  }

  /**
   * Makes an instance known until the registration is released or the session ends.
   *
   * @throws RecipeError INVALID_DATA; TypeError; as `Membership.join`.
   */
  async register<T>(service: string, options: RegisterOptions<T>): Promise<Joined> {
    const { id, data, schema, signal } = options ?? {};
    checkComponent('id', id);
    const group = this.#group(service);
    return group.join(id, { data: await encodeValue(joinPath(group.path, id), data, schema), signal });
  }

  /** The instances of a service: those that were registered before the call, and then what changes. @throws TypeError; what reads reject with. */
  async view<T>(service: string, options: ServiceViewOptions<T> & CallOptions = {}): Promise<ServiceView<T>> {
    const group = await this.#group(service).view({ signal: options.signal });
    return ServiceView.open(this.#client, service, group, options);
  }

  #group(service: string): Membership {
    checkComponent('service', service);
    return new Membership(this.#client, joinPath(this.path, service), this.#options);
  }
}
