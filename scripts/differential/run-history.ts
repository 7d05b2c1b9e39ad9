/** One history against both servers, step by step, until it ends or a step differs in what no row of docs/compatibility.md explains. */
import { compare, type Difference, ZxidPairs } from './compare.ts';
import { operationsOf, requestsOf, type Step } from './history.ts';
import type { KnownContext, KnownDifference } from './known-differences.ts';
import type { Observation, Plain } from './observation.ts';
import type { Pair } from './pair.ts';
import { digestOf, SUPER_PROOF } from './settings.ts';
import type { Side } from './side.ts';
import { StandingWatches } from './standing-watches.ts';
import type { Tally } from './tally.ts';

/** A step and what both have made of it. */
export interface Lap {
  readonly step: Step;
  readonly theirs: Observation;
  readonly ours: Observation;
  /** What is left when the listed differences are taken out. */
  readonly differences: readonly Difference[];
}

/** The laps up to and with the first difference, which is the last; all of them where there is none. */
export interface Outcome {
  readonly laps: readonly Lap[];
  readonly differs: boolean;
}

export interface Sides {
  readonly theirs: Side;
  readonly ours: Side;
}

const READ = 1;
/** Where nobody has set any other ACL, everybody may read everything. */
const OPEN = '31 world:anyone';

export interface RunOptions {
  /** What may differ. */
  readonly known: readonly KnownDifference[];
  readonly tally: Tally;
}

export async function runHistory(steps: readonly Step[], sides: Sides, { known, tally }: RunOptions): Promise<Outcome> {
  const { theirs, ours } = sides;
  const zxids = new ZxidPairs();
  const acls = new Acls(theirs);
  const watches = new StandingWatches();
  const laps: Lap[] = [];
  tally.histories++;
  for (const step of steps) {
    const [left, right] = await Promise.all([theirs.run(step), ours.run(step)]);
    if (known.length > 0) await acls.look(step, left);
    const actor = `slot ${step.slot}`;
    const had = watches.of(actor);
    const met = watches.take(step, left);
    const context: KnownContext = {
      ...{ step, actor, had, watches },
      mayRead: (connection, path) => acls.mayRead(path, theirs.proved(Number(/\d+/.exec(connection)?.[0]))),
    };
    const { pair, explained } = explain({ theirs: left, ours: right }, known, context);
    const differences = compare(pair.theirs, pair.ours, zxids);
    laps.push({ step, theirs: left, ours: right, differences });
    if (differences.length > 0) return { laps, differs: true };
    const rows = explained.map(({ row }) => row);
    tally.add(step, left, met, rows);
    // Where a session goes on, ours may be one txn further (docs/compatibility.md).
    const goesOn = left[actor]?.messages[0]?.['kind'] === 'connected';
    if (explained.length === 0 && !goesOn) continue;
    if (explained.some(({ after }) => after === 'end')) break;
    const slots = slotsToCut(left, right);
    if (explained.some(({ after }) => after === 'reset')) slots.push(step.slot);
    for (const slot of slots) {
      theirs.reset(slot);
      ours.reset(slot);
      watches.drop(`slot ${slot}`);
    }
    if (goesOn || explained.some(({ after }) => after !== 'none')) await Promise.all([theirs.catchUp(step.slot), ours.catchUp(step.slot)]);
  }
  return { laps, differs: false };
}

function explain(pair: Pair, known: readonly KnownDifference[], context: KnownContext): { pair: Pair; explained: KnownDifference[] } {
  const explained = [];
  let left = pair;
  for (const difference of known) {
    const without = difference.explain(left, context);
    if (without === undefined) continue;
    left = without;
    explained.push(difference);
  }
  return { pair: left, explained };
}

/** The slots whose connection only one of the two has ended. */
function slotsToCut(theirs: Observation, ours: Observation): number[] {
  return Object.keys({ ...theirs, ...ours }).flatMap((connection) =>
    /^slot \d+$/.test(connection) && (theirs[connection]?.ended === true) !== (ours[connection]?.ended === true)
      ? [Number(connection.slice('slot '.length))]
      : [],
  );
}

/** The ACLs before and after a step, as the reference has them: what its later releases would have filtered by. */
class Acls {
  readonly #side: Side;
  readonly #paths = new Set<string>(['~', '~/a', '~/b', '~/a/x']);
  #interesting = false;
  #before: ReadonlyMap<string, readonly string[]> = new Map();
  #after: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(side: Side) {
    this.#side = side;
  }

  async look(step: Step, seen: Observation): Promise<void> {
    collectPaths(requestsOf(step) as unknown as Plain, this.#paths);
    collectPaths(seen as unknown as Plain, this.#paths);
    this.#interesting ||= setsAcl(step);
    this.#before = this.#after;
    if (this.#interesting) this.#after = await this.#side.acls([...this.#paths]);
  }

  /** False also where it could not either before or after the step, and where the znode came and went within it. */
  mayRead(path: string, proofs: readonly string[]): boolean {
    if (!this.#interesting) return true;
    const lists = [this.#before.get(path), this.#after.get(path)].filter((list) => list !== undefined);
    return lists.length > 0 && lists.every((list) => permitsRead(list, proofs));
  }
}

function permitsRead(acl: readonly string[], proofs: readonly string[]): boolean {
  if (acl.length === 0 || proofs.includes(SUPER_PROOF)) return true;
  const ids = ['world:anyone', ...proofs.map((proof) => `digest:${digestOf(proof)}`)];
  return acl.some((entry) => {
    const space = entry.indexOf(' ');
    return (Number(entry.slice(0, space)) & READ) !== 0 && ids.includes(entry.slice(space + 1));
  });
}

/** Whether a step asks for an ACL that is not open. */
function setsAcl(step: Step): boolean {
  return operationsOf(step).some((op) => 'acl' in op && op.acl.some(({ perms, id }) => `${perms} ${id.scheme}:${id.id}` !== OPEN));
}

/** Every path in the folder of the run, wherever it stands. */
function collectPaths(value: Plain, found: Set<string>): void {
  if (typeof value === 'string') {
    if (value.startsWith('~')) found.add(value);
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) collectPaths(item as Plain, found);
  }
}
