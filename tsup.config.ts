import { defineConfig } from 'tsup';

/** How every package is built; `tsup --config ../../tsup.config.ts` runs in the package's own folder. */
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: true,
  sourcemap: true,
  clean: true,
  silent: true,
});
