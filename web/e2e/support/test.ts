/** `test` with what the specs share. Every page is watched: a breach of the content security policy, an
 * uncaught error or chatter on the console fails the test that caused it. */
import { test as base, expect, type BrowserContext, type BrowserContextOptions } from '@playwright/test';
import { Dashboard } from './dashboard';
import { env } from './env';
import { makeAccount, startGateway, unique, type Gateway, type Owner } from './program';

type Fixtures = {
  /** The owner of an account of this test's own. */
  owner: Owner;
  /** The dashboard in the test's first browser. */
  dashboard: Dashboard;
  /** Opens the dashboard in a further browser, with cookies of its own. */
  another: (options?: BrowserContextOptions, url?: string) => Promise<Dashboard>;
  /** A gateway that nobody has set up. */
  fresh: Gateway;
  /** What went wrong on any page. */
  complaints: string[];
};

export const test = base.extend<Fixtures>({
  complaints: [
    async ({ context }, use) => {
      const complaints: string[] = [];
      await watch(context, complaints);
      await use(complaints);
      expect(complaints, 'breaches of the content security policy, uncaught errors, chatter').toEqual([]);
    },
    { auto: true },
  ],
  owner: async ({}, use) => {
    await use(await makeAccount(`Shop ${unique()}`));
  },
  dashboard: async ({ page, complaints: _ }, use) => {
    await use(new Dashboard(page, env.url));
  },
  another: async ({ browser, complaints }, use) => {
    const opened: BrowserContext[] = [];
    await use(async (options = {}, url = env.url) => {
      const context = await browser.newContext({ ...options, baseURL: url });
      opened.push(context);
      await watch(context, complaints);
      return new Dashboard(await context.newPage(), url);
    });
    await Promise.all(opened.map((context) => context.close()));
  },
  fresh: async ({}, use) => {
    const gateway = await startGateway();
    await use(gateway);
    await gateway.stop();
  },
});

export { expect };

async function watch(context: BrowserContext, complaints: string[]): Promise<void> {
  context.on('weberror', (error) => complaints.push(String(error.error().stack ?? error.error())));
  context.on('console', (message) => {
    const text = message.text();
    // Nobody reads it, and libraries advertise there.
    const chats = ['log', 'info', 'debug', 'warning'].includes(message.type());
    if (chats || /content security policy|refused to (load|execute|apply|connect|frame)|\[breach\]/i.test(text)) {
      complaints.push(`${message.page()?.url()}: ${text}`);
    }
  });
  // Chromium's words change; the event does not.
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`[breach] ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
    );
  });
}
