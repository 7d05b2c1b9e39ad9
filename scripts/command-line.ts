/** What the commands here have in common: how they read numbers, and with which status they end. */

/** @throws RangeError where the text is no whole number from `low` on. */
export function whole(name: string, text: string, low: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < low) throw new RangeError(`--${name} is a whole number from ${low}, not "${text}"`);
  return number;
}

/** Signals that end a command, and the status that says so. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Runs a command. Exit status 0 where it gives true, 1 where it gives false, 2 for a command line that makes no sense.
 *
 * @param refusals what a command throws besides, to say that it cannot begin.
 */
export async function command(main: () => Promise<boolean>, ...refusals: readonly (new (...args: never[]) => Error)[]): Promise<void> {
  // By `exit`, so that whoever has begun something outside of this process can end it.
  for (const [signal, status] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(status));
  try {
    process.exitCode = (await main()) ? 0 : 1;
  } catch (error) {
    if (![RangeError, TypeError, ...refusals].some((refusal) => error instanceof refusal)) throw error;
    console.error((error as Error).message);
    process.exitCode = 2;
  }
}
