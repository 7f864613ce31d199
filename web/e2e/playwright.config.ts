/**
 * The dashboard's tests in a real browser: `cargo xtask browser`, which starts the gateway and the sandbox
 * network and tells their addresses (support/env.ts).
 *
 * `specs/` has one file per promise; `support/` what a person has at hand: a mailbox, a phone, an
 * authenticator, a second browser. Locators go by role and name, as people and screen readers do.
 */
import { defineConfig } from '@playwright/test';
import { browser } from './support/browser';

export default defineConfig({
  testDir: 'specs',
  outputDir: 'results',
  // One gateway serves all: side by side they would wait for each other, not for the page.
  workers: 1,
  // A test that passes at the second try is a bug in the test or in the program.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: { ...browser, trace: 'retain-on-failure', screenshot: 'only-on-failure' },
});
