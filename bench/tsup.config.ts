import { defineConfig } from 'tsup';

/** One file from the sources of all packages, and one for each process that is measured beside them: what is measured is what users install, and no loader stands in between. */
export default defineConfig({
  entry: [
    ...['bench/src/main.ts', 'bench/src/peers/coaty-raft.ts', 'bench/src/peers/skiff.ts'],
    ...['bench/src/compare.ts', 'bench/src/compare/load.ts', 'bench/src/compare/served.ts'],
  ],
  outDir: 'bench/dist',
  format: ['esm'],
  target: 'es2022',
  noExternal: [/.*/],
  esbuildOptions(options) {
    options.conditions = ['@quorate/source'];
  },
  clean: true,
  silent: true,
});
