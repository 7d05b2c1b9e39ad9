/** Runs scenario.txt by a client of this language: see there what the steps mean. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a client has to be able to do. A refusal throws an error whose `code` or `name` is that of scenario.txt. */
export interface ScenarioClient {
  create(path: string, data: string, mode: string, acl: ScenarioAcl | undefined): Promise<string>;
  get(path: string, watch: Watch | undefined): Promise<{ readonly data: string; readonly version: number }>;
  set(path: string, data: string, version: number): Promise<{ readonly version: number }>;
  delete(path: string, version: number): Promise<void>;
  /** Undefined where there is no znode. */
  exists(path: string, watch: Watch | undefined): Promise<{ readonly version: number } | undefined>;
  children(path: string, watch: Watch | undefined): Promise<readonly string[]>;
  acl(path: string): Promise<ScenarioAcl>;
  setAcl(path: string, acl: ScenarioAcl, version: number): Promise<{ readonly aversion: number }>;
  auth(scheme: string, proof: string): Promise<void>;
  /** Never asked for where the client lacks the feature. */
  sync(path: string): Promise<void>;
  multi(operations: readonly ScenarioOperation[]): Promise<void>;
  close(): Promise<void>;
}

export type Watch = (type: 'created' | 'deleted' | 'changed' | 'children' | 'unknown', path: string) => void;

export interface ScenarioAcl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

export type ScenarioOperation =
  | { readonly op: 'create'; readonly path: string; readonly data: string }
  | { readonly op: 'set'; readonly path: string; readonly data: string; readonly version: number }
  | { readonly op: 'delete' | 'check'; readonly path: string; readonly version: number };

export type Feature = 'container' | 'ttl' | 'sync';

const EVENT_TIMEOUT_MS = 10_000;

/** The steps with their outcomes, as a client with these features is to give them. */
export function scenario(features: readonly Feature[]): string[] {
  const lines = readFileSync(join(import.meta.dirname, 'scenario.txt'), 'utf8').split('\n');
  return lines.filter((line) => {
    const feature = /^\[(\w+)\]/.exec(line)?.[1];
    return line !== '' && !line.startsWith('#') && (feature === undefined || features.includes(feature as Feature));
  });
}

/** Performs the steps one after the other. Gives each with what came of it. */
export async function runScenario(steps: readonly string[], open: () => Promise<ScenarioClient>): Promise<string[]> {
  const sessions = new Map<string, Session>();
  const lines: string[] = [];
  for (const line of steps) {
    const [step = ''] = line.split(' -> ');
    const [name = '', command = '', ...words] = step.replace(/^\[\w+\] /, '').split(' ');
    let session = sessions.get(name);
    if (session === undefined) sessions.set(name, (session = new Session(await open())));
    lines.push(`${step} -> ${await session.perform(command, words)}`);
  }
  return lines;
}

class Session {
  readonly #client: ScenarioClient;
  readonly #events: string[] = [];
  #onEvent = (): void => {};

  constructor(client: ScenarioClient) {
    this.#client = client;
  }

  async perform(command: string, words: readonly string[]): Promise<string> {
    try {
      return await this.#perform(command, words);
    } catch (error) {
      const { code, name } = error as { code: unknown; name: string };
      return typeof code === 'string' ? code : name;
    }
  }

  async #perform(command: string, words: readonly string[]): Promise<string> {
    const [path = '', second = '', third = '', fourth] = words;
    const client = this.#client;
    const watch = second === 'watch' ? this.#watch : undefined;
    switch (command) {
      case 'create':
        return client.create(path, dataOf(second), third, fourth === undefined ? undefined : aclOf(fourth));
      case 'get': {
        const { data, version } = await client.get(path, watch);
        return `${data} ${version}`;
      }
      case 'set':
        return String((await client.set(path, dataOf(second), Number(third))).version);
      case 'delete':
        await client.delete(path, Number(second));
        return 'ok';
      case 'exists':
        return String((await client.exists(path, watch))?.version ?? 'NO_NODE');
      case 'children':
        return [...(await client.children(path, watch))].sort().join(' ') || '-';
      case 'acl': {
        const { perms, scheme, id } = await client.acl(path);
        return `${perms}:${scheme}:${id}`;
      }
      case 'setacl':
        return String((await client.setAcl(path, aclOf(second), Number(third))).aversion);
      case 'auth':
        await client.auth(path, second);
        return 'ok';
      case 'sync':
        await client.sync(path);
        return 'ok';
      case 'multi':
        await client.multi(words.map(operationOf));
        return 'ok';
      case 'event':
        return this.#nextEvent();
      case 'close':
        await client.close();
        return 'ok';
      default:
        return 'no such command';
    }
  }

  readonly #watch: Watch = (type, path) => {
    this.#events.push(`${type} ${path}`);
    this.#onEvent();
  };

  async #nextEvent(): Promise<string> {
    if (this.#events.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, EVENT_TIMEOUT_MS);
        this.#onEvent = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#events.shift() ?? 'nothing';
  }
}

function dataOf(word: string): string {
  return word === '""' ? '' : word;
}

function aclOf(word: string): ScenarioAcl {
  const [perms, scheme = '', ...id] = word.split(':');
  return { perms: Number(perms), scheme, id: id.join(':') };
}

function operationOf(word: string): ScenarioOperation {
  const [op = '', path = '', ...rest] = word.split(':');
  if (op === 'create') return { op, path, data: rest[0] ?? '' };
  if (op === 'set') return { op, path, data: rest[0] ?? '', version: Number(rest[1]) };
  return { op: op === 'delete' ? 'delete' : 'check', path, version: Number(rest[0]) };
}
