/** Runs tests against the source with one mutant in it, which the environment names. */
import { defineConfig } from 'vitest/config';
import { mutantOf } from '../mutants/catalogue.ts';
import { patchedFiles } from '../mutants/patch.ts';

const conditions = ['@quorate/source'];

const texts = patchedFiles(mutantOf(process.env.QUORATE_MUTANT ?? ''));

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  plugins: [{ name: 'mutant', enforce: 'pre', load: (id) => texts.get(id) }],
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['packages/zab/test/{rules,replica}.test.ts'],
  },
});
