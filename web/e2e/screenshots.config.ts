/** Pictures of every page, and what axe says of them: `cargo xtask screenshots`. */
import { defineConfig } from '@playwright/test';
import { browser } from './support/browser';

export default defineConfig({
  testDir: 'shots',
  testMatch: '*.shots.ts',
  outputDir: 'results',
  workers: 1,
  retries: 0,
  timeout: 600_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: { ...browser, trace: 'retain-on-failure', contextOptions: { reducedMotion: 'reduce' } },
});
