/** The simulator with one mutant in it, or with none, as one file. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Mutant } from './mutant.ts';
import { patchedFiles, StaleMutants } from './patch.ts';

/** Writes the bundle and gives its path. */
export async function bundle(mutant: Mutant | undefined, options: { readonly name: string; readonly folder: string }): Promise<string> {
  const outfile = join(options.folder, `${options.name}.mjs`);
  const texts = mutant === undefined ? new Map<string, string>() : patchedFiles(mutant);
  const loaded = new Set<string>();
  await build({
    entryPoints: [fileURLToPath(new URL('./seeds-child.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@quorate/source'],
    logLevel: 'silent',
    plugins: [loading(texts, loaded)],
  });
  for (const path of texts.keys()) if (!loaded.has(path)) throw new StaleMutants(`${options.name}: ${path} is no part of the simulator`);
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
