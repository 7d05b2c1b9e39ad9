/** Runs tests against the source with one mutant in it, which the environment names: those of the rules, or the file that it names. */
import { defineConfig } from 'vitest/config';
import { mutantOf } from '../mutants/catalogue.ts';
import { patchedFiles } from '../mutants/patch.ts';

const conditions = ['@quorate/source'];

const mutant = mutantOf(process.env.QUORATE_MUTANT ?? '');
const texts = patchedFiles(mutant);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  plugins: [{ name: 'mutant', enforce: 'pre', load: (id) => texts.get(id) }],
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: [mutant.test?.file ?? 'packages/zab/test/{rules,replica}.test.ts'],
  },
});
