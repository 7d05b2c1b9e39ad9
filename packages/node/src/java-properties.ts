/** Lines of `key=value` as Java's class `Properties` reads them: zoo.cfg is written so. */

export interface Property {
  readonly key: string;
  /** Without blanks around it, as ZooKeeper takes it. */
  readonly value: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

/** In their order. A key without a value has the empty one. */
export function parseProperties(text: string): readonly Property[] {
  return logicalLines(text).map(({ text: line, number }) => {
    const end = keyEnd(line);
    const value = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
    return { key: unescaped(line.slice(0, end)), value: unescaped(value).trim(), line: number };
  });
}

interface LogicalLine {
  readonly text: string;
  readonly number: number;
}

/** A line that ends in a backslash goes on in the next one; comments and blank lines are none. */
function logicalLines(text: string): readonly LogicalLine[] {
  const lines: LogicalLine[] = [];
  let begun: LogicalLine | undefined;
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.replace(/^[ \t\f]+/, '');
    if (begun === undefined && (line === '' || /^[#!]/.test(line))) continue;
    const goesOn = (/\\+$/.exec(line)?.[0].length ?? 0) % 2 === 1;
    const part = goesOn ? line.slice(0, -1) : line;
    const whole: LogicalLine = { text: (begun?.text ?? '') + part, number: begun?.number ?? index + 1 };
    begun = goesOn ? whole : undefined;
    if (!goesOn) lines.push(whole);
  }
  return begun === undefined ? lines : [...lines, begun];
}

/** A key ends at the first blank, `=` or `:` that has no backslash before it. */
function keyEnd(line: string): number {
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (/[=: \t\f]/.test(line[at] as string)) return at;
  }
  return line.length;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
  ['f', '\f'],
]);

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.)|$)/gs, (_, code: string | undefined, char: string | undefined) =>
    code === undefined ? (escapes.get(char ?? '') ?? char ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
