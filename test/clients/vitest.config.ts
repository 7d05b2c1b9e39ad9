/** Clients of other makers against a served ensemble: `pnpm test:clients`. They need Debian's packages, so `npm test` leaves them out. */
import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

export default defineConfig({
  ...base,
  test: { include: ['test/clients/*.spec.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
