/** What `strace -f -yy` has written of a server, put in order: when each call was begun and when it was done. */

export interface SystemCall {
  readonly name: string;
  /** The file or the connection, as strace names it: `<…>`. */
  readonly target: string;
  /** The line as a whole. */
  readonly text: string;
  /** Numbers of lines: the place in the order of all that happened. */
  readonly begun: number;
  readonly done: number;
  readonly succeeded: boolean;
}

const CALL = /^(\d+) +(\w+)\(\d+<(TCP\w*:\[[^\]]*\]|[^>]*)>/;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>/;
const UNFINISHED = '<unfinished ...>';

/** Calls that were never done are left out. */
export function readSystemCalls(trace: string): readonly SystemCall[] {
  const calls: SystemCall[] = [];
  const underWay = new Map<string, SystemCall>();
  for (const [line, text] of trace.split('\n').entries()) {
    const resumed = RESUMED.exec(text)?.[1];
    if (resumed !== undefined) {
      const call = underWay.get(resumed);
      underWay.delete(resumed);
      if (call !== undefined) calls.push({ ...call, done: line, succeeded: hasSucceeded(text) });
      continue;
    }
    const [, thread = '', name = '', target = ''] = CALL.exec(text) ?? [];
    if (name === '') continue;
    const call: SystemCall = { name, target, text, begun: line, done: line, succeeded: hasSucceeded(text) };
    if (text.endsWith(UNFINISHED)) underWay.set(thread, call);
    else calls.push(call);
  }
  return calls;
}

function hasSucceeded(text: string): boolean {
  return / = \d+$/.test(text);
}
