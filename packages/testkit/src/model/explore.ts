/**
 * Explores every world that a scope allows, breadth-first or depth-first, and stops at the first property that does not hold.
 *
 * Breadth-first finds the shortest way to a violation. It keeps the worlds of one level, and 6 bytes a world to find the way back; depth-first keeps the
 * worlds of one path. Both visit each world once, so that of a scope that is explored to the end both count the same.
 */
import { type Action, actionsOf, perform } from './actions.js';
import { describeAction } from './describe-action.js';
import { Draft } from './draft.js';
import { FingerprintSet } from './fingerprint-set.js';
import { pastWorlds } from './histories.js';
import { Printer } from './print.js';
import type { Scope } from './scope.js';
import { PropertyViolation } from './violation.js';
import { printOfWorld, type World } from './world.js';

export interface ExploreOptions {
  readonly scope: Scope;
  readonly order: 'breadth' | 'depth';
  readonly statesMax: number;
  /** Called now and then. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
}

export interface Exploration extends Progress {
  /** False where it ended early: at a violation, or at `statesMax`. */
  readonly exhausted: boolean;
  /** Worlds that were reached and, by the bound on elections, not followed. */
  readonly bounded: number;
  /** Worlds in which nothing more can happen within the scope. */
  readonly ends: number;
  /** What the set of fingerprints takes. */
  readonly setBytes: number;
  /** How often each kind of action was taken, and each kind of message arrived. */
  readonly happened: ReadonlyMap<string, number>;
  readonly violation: Violated | undefined;
}

export interface Violated {
  readonly property: string;
  readonly message: string;
  readonly depth: number;
  /** The way there, a line for each step. */
  readonly trace: readonly string[];
}

interface Beginning {
  readonly name: string;
  readonly world: World;
}

const PROGRESS_EVERY = 20_000;

export function explore(options: ExploreOptions): Exploration {
  const search = new Search(options);
  return options.order === 'breadth' ? search.breadthFirst() : search.depthFirst();
}

class Search {
  readonly #options: ExploreOptions;
  readonly #scope: Scope;
  readonly #printer = new Printer();
  readonly #seen = new FingerprintSet();
  readonly #happened = new Map<string, number>();
  readonly #beginnings: readonly Beginning[];
  #transitions = 0;
  #depth = 0;
  #bounded = 0;
  #ends = 0;

  constructor(options: ExploreOptions) {
    this.#options = options;
    this.#scope = options.scope;
    this.#beginnings = beginnings(options.scope, this.#printer);
  }

  breadthFirst(): Exploration {
    const ways = new Ways();
    let level: World[] = [];
    this.#beginnings.forEach(({ world }, index) => {
      if (!this.#seen.add(printOfWorld(this.#printer, world))) return;
      level.push(world);
      ways.add(index, 0);
    });
    let first = 0;
    for (let depth = 0; level.length > 0; depth++) {
      this.#depth = depth;
      const next: World[] = [];
      for (let i = 0; i < level.length; i++) {
        if (this.#seen.size >= this.#options.statesMax) return this.#result(undefined, false);
        const world = level[i] as World;
        // The level is let go of as it is used up.
        level[i] = undefined as unknown as World;
        const parent = first + i;
        const violation = this.#expand(world, (child, choice) => {
          next.push(child);
          ways.add(parent, choice);
        });
        if (violation !== undefined) {
          const [beginning, ...choices] = ways.to(parent, this.#beginnings.length);
          return this.#result(this.#explain(beginning as number, [...choices, violation.choice], violation.error), false);
        }
      }
      first += level.length;
      level = next;
    }
    return this.#result(undefined, true);
  }

  depthFirst(): Exploration {
    for (const [index, { world }] of this.#beginnings.entries()) {
      if (!this.#seen.add(printOfWorld(this.#printer, world))) continue;
      const path: Branch[] = [this.#branch(world)];
      while (path.length > 0) {
        const branch = path[path.length - 1] as Branch;
        const action = branch.actions[branch.next++];
        if (action === undefined) {
          path.pop();
          continue;
        }
        if (this.#seen.size >= this.#options.statesMax) return this.#result(undefined, false);
        const child = this.#take(branch.world, action);
        if (child instanceof PropertyViolation) {
          const choices = path.map(({ next }) => next - 1);
          return this.#result(this.#explain(index, choices, child), false);
        }
        if (child === undefined || !this.#seen.add(printOfWorld(this.#printer, child))) continue;
        path.push(this.#branch(child));
        this.#depth = Math.max(this.#depth, path.length - 1);
      }
    }
    return this.#result(undefined, true);
  }

  #branch(world: World): Branch {
    return { world, actions: this.#actions(world), next: 0 };
  }

  #actions(world: World): readonly Action[] {
    if (isBeyond(world, this.#scope)) {
      this.#bounded++;
      return [];
    }
    const actions = actionsOf(world, this.#scope);
    if (actions.length === 0) this.#ends++;
    return actions;
  }

  #expand(world: World, onNew: (child: World, choice: number) => void): { choice: number; error: PropertyViolation } | undefined {
    const actions = this.#actions(world);
    for (let choice = 0; choice < actions.length; choice++) {
      const child = this.#take(world, actions[choice] as Action);
      if (child instanceof PropertyViolation) return { choice, error: child };
      if (child !== undefined && this.#seen.add(printOfWorld(this.#printer, child))) onNew(child, choice);
    }
    return undefined;
  }

  #take(world: World, action: Action): World | PropertyViolation | undefined {
    this.#transitions++;
    if (this.#transitions % PROGRESS_EVERY === 0) this.#options.onProgress?.(this.#progress());
    const kind = kindOf(world, action);
    this.#happened.set(kind, (this.#happened.get(kind) ?? 0) + 1);
    try {
      return perform(world, action, { scope: this.#scope, printer: this.#printer });
    } catch (error) {
      if (error instanceof PropertyViolation) return error;
      throw error;
    }
  }

  #progress(): Progress {
    return { states: this.#seen.size, transitions: this.#transitions, depth: this.#depth };
  }

  #result(violation: Violated | undefined, exhausted: boolean): Exploration {
    return {
      ...this.#progress(),
      ...{ exhausted, bounded: this.#bounded, ends: this.#ends, setBytes: this.#seen.bytes },
      ...{ happened: this.#happened, violation },
    };
  }

  /** Goes the way once more and says what happens on it. */
  #explain(beginning: number, choices: readonly number[], error: PropertyViolation): Violated {
    const { name, world: start } = this.#beginnings[beginning] as Beginning;
    const trace = [`begins with ${name}`];
    let world = start;
    for (const choice of choices) {
      const action = actionsOf(world, this.#scope)[choice] as Action;
      const line = describeAction(world, action);
      const child = this.#take(world, action);
      if (child === undefined || child instanceof PropertyViolation) {
        trace.push(line);
        break;
      }
      trace.push(...[line, ...changes(world, child)]);
      world = child;
    }
    return { property: error.property, message: error.message, depth: choices.length, trace };
  }
}

interface Branch {
  readonly world: World;
  readonly actions: readonly Action[];
  next: number;
}

/** How each world was reached first: from which, and by which of its actions. */
class Ways {
  #parents = new Uint32Array(1 << 16);
  #choices = new Uint16Array(1 << 16);
  #length = 0;

  add(parent: number, choice: number): void {
    if (this.#length === this.#parents.length) {
      const parents = new Uint32Array(this.#length * 2);
      parents.set(this.#parents);
      this.#parents = parents;
      const choices = new Uint16Array(this.#length * 2);
      choices.set(this.#choices);
      this.#choices = choices;
    }
    this.#parents[this.#length] = parent;
    this.#choices[this.#length++] = choice;
  }

  /** The beginning, and the choices from there on. The first worlds are the beginnings. */
  to(index: number, beginnings: number): number[] {
    const way: number[] = [];
    let at = index;
    while (at >= beginnings) {
      way.push(this.#choices[at] as number);
      at = this.#parents[at] as number;
    }
    way.push(this.#parents[at] as number);
    return way.reverse();
  }
}

function beginnings(scope: Scope, printer: Printer): Beginning[] {
  const pasts = pastWorlds(scope);
  const chosen = scope.from !== 'start' ? pasts : pasts.slice(0, 1);
  return chosen.map(({ name, world }) => {
    const draft = new Draft(world, scope);
    for (const { sid } of world.servers) draft.start(sid);
    return { name, world: draft.finish(printer) };
  });
}

/** A round of an election may always be followed by one more: somewhere it has to end. */
function isBeyond(world: World, scope: Scope): boolean {
  return scope.from === 'start' && world.servers.some(({ peer }) => peer !== undefined && peer.state.electionEpoch > scope.elections);
}

function kindOf(world: World, action: Action): string {
  if (action.type === 'complete' && world.servers[action.sid - 1]?.lane.slice(0, action.count).some(({ type }) => type === 'saveMark'))
    return 'vote given back';
  if (action.type === 'complete' && world.servers[action.sid - 1]?.lane.slice(0, action.count).some(({ type }) => type === 'mend'))
    return 'store mended';
  if (action.type !== 'receive') return action.type === 'timer' ? `timer ${action.name}` : action.type;
  const wire = world.wires[action.wire];
  const message = action.end === 'learner' ? wire?.toLearner[0] : wire?.opened ? wire.toLeader[0] : undefined;
  return message?.type ?? 'OPEN';
}

/** What a step has changed, where that is not to be seen from the step itself. */
function changes(before: World, after: World): string[] {
  const lines: string[] = [];
  for (const { sid, peer } of after.servers) {
    const was = before.servers[sid - 1]?.peer?.status;
    const is = peer?.status;
    if (is === undefined || is === was) continue;
    const leader = is.leader === undefined || is.leader === sid ? '' : ` ${is.leader}`;
    lines.push(`    S${sid} is ${is.state}${leader}${is.serving ? `, serving in epoch ${is.epoch}` : ''}`);
  }
  for (const { zxid } of after.committed.slice(before.committed.length))
    lines.push(`    ${Math.floor(zxid / 2 ** 32)}.${zxid >>> 0} is committed`);
  return lines;
}
