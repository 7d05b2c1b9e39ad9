import { defineConfig } from 'tsup';

/** One file from the sources of all packages, and one for each process that is measured beside them: what is measured is what users install, and no loader stands in between. */
export default defineConfig({
  entry: {
    main: 'bench/src/main.ts',
    'peers/coaty-raft': 'bench/src/peers/coaty-raft.ts',
    'peers/skiff': 'bench/src/peers/skiff.ts',
    compare: 'bench/src/compare.ts',
    'compare/load': 'bench/src/compare/load.ts',
    'compare/served': 'bench/src/compare/served.ts',
    'compare/quorate': 'packages/cli/src/bin.ts',
  },
  outDir: 'bench/dist',
  format: ['esm'],
  target: 'es2022',
  noExternal: [/.*/],
  // A library that is CommonJS asks for Node's modules by a function that modules do not have.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  esbuildOptions(options) {
    options.conditions = ['@quorate/source'];
  },
  clean: true,
  silent: true,
});
