import { defineConfig } from 'vitest/config';
import { SlowApart } from './scripts/test-order.js';

export default defineConfig({
  // graphql comes as CommonJS and as ES modules; two copies in one process refuse each other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['{app,bench,events,gateway,platform,scripts,subgraphs,test}/**/*.test.ts'],
    globalSetup: 'platform/testing/global-setup.ts',
    pool: 'forks',
    // Test files share their worker's modules: loading them for each took two seconds of CPU.
    isolate: false,
    // What one file has changed of them is not left to the next.
    setupFiles: 'platform/testing/setup.ts',
    restoreMocks: true,
    unstubEnvs: true,
    // Beside each test file run a PostgreSQL server and, in some, a whole program.
    maxWorkers: 2,
    sequence: { sequencer: SlowApart },
    // What is waited for has limits of its own, of 15 s at most; a machine that stands still takes longer for all of a test.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './scripts/closing-line.ts'],
    coverage: {
      provider: 'v8',
      include: ['{app,events,gateway,platform,subgraphs}/**/*.ts'],
      exclude: ['**/generated/**', '**/testing/**', '**/*.test.ts'],
      reporter: ['text-summary', 'html', 'lcov'],
    },
  },
});
