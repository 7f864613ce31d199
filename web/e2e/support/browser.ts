/** Debian's Chromium, the same for tests and pictures. */
import { env } from './env';

export const browser = {
  baseURL: env.url,
  locale: 'en-US',
  timezoneId: 'UTC',
  actionTimeout: 10_000,
  navigationTimeout: 20_000,
  launchOptions: {
    executablePath: env.chromium,
    args: [
      // Tests run as root in CI's container, where Chromium's sandbox cannot.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
};
