/** The model checker with one bug put back, or with none, as one file: it runs faster than from source, and a bug needs no switch in the source. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Mutant } from '../mutants/mutant.ts';
import { patchedFiles } from '../mutants/patch.ts';

/** Writes the bundle and gives its path. @throws StaleMutants where the mutant does not fit the source. */
export async function bundleModel(
  mutant: Mutant | undefined,
  options: { readonly name: string; readonly folder: string },
): Promise<string> {
  const outfile = join(options.folder, `${options.name}.mjs`);
  const texts = mutant === undefined ? new Map<string, string>() : patchedFiles(mutant);
  await build({
    entryPoints: [fileURLToPath(new URL('./child.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@quorate/source'],
    logLevel: 'silent',
    plugins: [
      {
        name: 'mutant',
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = texts.get(path);
            return contents === undefined ? undefined : { contents, loader: 'ts' };
          });
        },
      },
    ],
  });
  return outfile;
}
