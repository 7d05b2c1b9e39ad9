/** A program over the sources of the packages as one file: it runs faster than from source, and a bug can be put in for which the source has no switch. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Mutant } from './mutants/mutant.ts';
import { patchedFiles, StaleMutants } from './mutants/patch.ts';

export interface BundleOptions {
  /** Where the file goes. */
  readonly folder: string;
  /** What is put in. */
  readonly mutant?: Mutant | undefined;
}

const RETRIES = 5;

/** Gives the task a folder that is gone when it is done, or when this process ends before that. */
export async function inTemporaryFolder<T>(task: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-'));
  // Whoever was killed a moment ago may still have made a file in it.
  const removeAtOnce = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: RETRIES });
  process.on('exit', removeAtOnce);
  try {
    return await task(folder);
  } finally {
    process.off('exit', removeAtOnce);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the bundle and gives its path. @throws StaleMutants where the mutant does not fit the source, or changes nothing of the program. */
export async function bundle(entry: URL, { folder, mutant }: BundleOptions): Promise<string> {
  const name = mutant?.id ?? 'unchanged';
  const outfile = join(folder, `${basename(fileURLToPath(entry), '.ts')}-${name}.mjs`);
  const texts = mutant === undefined ? new Map<string, string>() : patchedFiles(mutant);
  const loaded = new Set<string>();
  await build({
    entryPoints: [fileURLToPath(entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@quorate/source'],
    sourcemap: 'inline',
    logLevel: 'silent',
    // A library that is CommonJS asks for Node's modules by a function that modules do not have.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [loading(texts, loaded)],
  });
  for (const path of texts.keys()) if (!loaded.has(path)) throw new StaleMutants(`${name}: ${path} is no part of the program`);
  return outfile;
}

/** Gives the patched text in place of the file's. */
function loading(texts: ReadonlyMap<string, string>, loaded: Set<string>): Plugin {
  return {
    name: 'mutant',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = texts.get(path);
        if (contents === undefined) return undefined;
        loaded.add(path);
        return { contents, loader: 'ts' };
      });
    },
  };
}
