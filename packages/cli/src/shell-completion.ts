import type { Client } from '@quorate/client';
import { commands } from './shell-commands.js';

/** What may stand where a line ends: the names of commands for its first word, the paths of children for a path. Beside them, the part that they take the place of. */
export async function complete(client: Pick<Client, 'getChildren'>, line: string): Promise<[string[], string]> {
  const last = /\S*$/.exec(line)?.[0] ?? '';
  if (last === line) {
    const names = [...commands.keys(), 'help', 'history', 'quit'];
    return [names.filter((name) => name.startsWith(line)).map((name) => `${name} `), line];
  }
  if (!last.startsWith('/')) return [[], last];
  const parent = last.slice(0, last.lastIndexOf('/')) || '/';
  const { children } = await client.getChildren(parent);
  const paths = children.sort().map((child) => (parent === '/' ? `/${child}` : `${parent}/${child}`));
  return [paths.filter((path) => path.startsWith(last)), last];
}
