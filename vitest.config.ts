import { defineConfig } from 'vitest/config';

const conditions = ['@quorate/source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // Tests run on slow and busy machines too; none asserts how long it takes.
    testTimeout: 60_000,
    // Otherwise one core of two stands idle.
    maxWorkers: '100%',
  },
});
