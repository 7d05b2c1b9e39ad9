/** The rules for the path of a znode, and taking paths apart (`PathUtils`). */
import { ZooKeeperError } from './errors.js';

/** How a path is to be judged. */
export interface PathOptions {
  /** The path gets a number appended, so that `/a/` is legal: it becomes `/a/0000000000`. */
  readonly sequential?: boolean | undefined;
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** The rule that a path breaks, in words; undefined for a path that is good. */
export function pathFault(path: string, options?: PathOptions): string | undefined {
  if (path.length === 0) return 'a path must not be empty';
  if (path.charCodeAt(0) !== SLASH) return 'a path must start with /';
  if (path.length === 1) return undefined;
  const sequential = options?.sequential === true;
  if (!sequential && path.charCodeAt(path.length - 1) === SLASH) return 'a path must not end with /';
  let start = 1;
  for (let index = 1; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    if (unit === SLASH) {
      const fault = componentFault(path, start, index);
      if (fault !== undefined) return fault;
      start = index + 1;
    } else if (isForbidden(unit)) {
      return `the character U+${unit.toString(16).toUpperCase().padStart(4, '0')} at index ${index} is not allowed in a path`;
    }
  }
  // The number that a sequential znode gets makes any last component a name: "", "." and ".." as well.
  return sequential ? undefined : componentFault(path, start, path.length);
}

/**
 * Checks a path by ZooKeeper's rules.
 *
 * @throws ZooKeeperError BAD_ARGUMENTS, whose message names the rule that the path breaks.
 */
export function validatePath(path: string, options?: PathOptions): void {
  const fault = pathFault(path, options);
  if (fault !== undefined) throw new ZooKeeperError('BAD_ARGUMENTS', `${JSON.stringify(path)}: ${fault}`, { path });
}

/** The path of the parent: `/a` for `/a/b`, `/` for `/a`. The root is its own parent. Any string gives an answer; only a good path a useful one. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The last component of a path: `b` for `/a/b`, empty for the root. */
export function baseNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path of the child `name` of `parent`. */
export function joinPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

function componentFault(path: string, start: number, end: number): string | undefined {
  if (end === start) return `the component at index ${start} must not be empty`;
  const dots = path.charCodeAt(start) === DOT && (end - start === 1 || (end - start === 2 && path.charCodeAt(start + 1) === DOT));
  return dots ? `the component at index ${start} must not be . or ..` : undefined;
}

/** Controls, surrogates and the private use area, and the specials: code units, because ZooKeeper's rule is one of Java's chars. */
function isForbidden(unit: number): boolean {
  return unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}
