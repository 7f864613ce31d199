/** A picture of every page in both themes and on two screens, and axe's opinion of it. */
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Browser, type Page } from '@playwright/test';
import { Dashboard } from '../support/dashboard';
import { env } from '../support/env';
import { setupLink, startGateway, type Gateway, type Owner } from '../support/program';
import { setStage } from './stage';
import { NOW, steady } from './steady';

const folder = process.env.RECADO_TEST_SCREENSHOTS ?? 'e2e/results/screenshots';
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
// One browser's name for itself, whichever it is: it stands in the list of sessions.
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

// One test: what stands on the stage is made once, also for what comes after a failure.
test('every page', async ({ browser }) => {
  const empty = await startGateway();
  const owner = await setStage(browser);
  for (const theme of ['light', 'dark'] as const) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await test.step(`${theme}, ${size}`, () => walk(browser, theme, size, viewport, owner, empty));
    }
  }
  await empty.stop();
});

async function walk(
  browser: Browser,
  theme: 'light' | 'dark',
  size: string,
  viewport: { width: number; height: number },
  owner: Owner,
  empty: Gateway,
): Promise<void> {
  const look = { viewport, colorScheme: theme, userAgent: AGENT, locale: 'en-US', timezoneId: 'UTC' } as const;
  const open = async (url: string) => {
    const context = await browser.newContext({ ...look, reducedMotion: 'reduce', baseURL: url });
    await steady(context);
    const page = await context.newPage();
    await page.clock.setFixedTime(NOW);
    return new Dashboard(page, url);
  };
  const shoot = async (page: Page, name: string) => {
    await settled(page);
    const path = join(folder, `${name}-${theme}-${size}.png`);
    await page.screenshot({ path, animations: 'disabled', caret: 'hide', scale: 'css' });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`));
    expect.soft(found, `axe on ${name}`).toEqual([]);
  };

  const first = await open(empty.url);
  await first.open();
  await expect(first.title()).toBeVisible();
  await shoot(first.page, 'setup-needed');
  await first.page.goto(await setupLink(empty));
  await expect(first.password()).toBeVisible();
  await shoot(first.page, 'setup');

  const dashboard = await open(env.url);
  const { page } = dashboard;
  await dashboard.open();
  await expect(dashboard.button(/^sign in$/i)).toBeVisible();
  await shoot(page, 'sign-in');
  await page.getByRole('link', { name: /forgot/i }).click();
  await expect(dashboard.title()).toBeVisible();
  await shoot(page, 'forgot');
  await dashboard.open(`/dashboard/link#${'A'.repeat(43)}`);
  await expect(dashboard.title()).toBeVisible();
  await shoot(page, 'link-ended');

  await dashboard.enter(owner);
  await expect(page.getByText('Front desk').first()).toBeVisible();
  await shoot(page, 'instances');
  await page.getByText('Front desk').first().click();
  await expect(dashboard.title('Front desk')).toBeVisible();
  await shoot(page, 'instance');
  await dashboard.open();
  await page.getByText('Wholesale').first().click();
  const picture = page.getByRole('img', { name: /qr/i });
  const start = dashboard.button(/^show the qr code$/i);
  await expect(picture.or(start).first()).toBeVisible();
  if (!(await picture.isVisible())) await start.click();
  await expect(picture).toBeVisible();
  await shoot(page, 'instance-pairing');

  for (const part of ['credentials', 'sessions', 'second-factor', 'password', 'members', 'audit'] as const) {
    await dashboard.security(part);
    await shoot(page, `security-${part}`);
  }
  await dashboard.open('/dashboard/security/credentials');
  await dashboard.button(/^get a jwt$/i).click();
  await expect(dashboard.proof()).toBeVisible();
  await shoot(page, 'proof');
  await dashboard.prove(owner);
  await dashboard.button(/^new pair$/i).click();
  await dashboard.dialog(/new client pair/i).getByLabel(/^label/i).fill('Development');
  await dashboard.button(/^make the pair$/i).click();
  await expect(page.getByRole('checkbox', { name: /stored/i })).toBeVisible();
  await shoot(page, 'security-credentials-made');
  await dashboard.stored();
  await revoke(dashboard, 'Development');
  await dashboard.security('second-factor');
  await dashboard.button(/^set up$/i).click();
  await expect(page.getByRole('img', { name: /qr/i })).toBeVisible();
  await shoot(page, 'security-second-factor-setup');
  await dashboard.security('members');
  await dashboard.button(/^invite someone$/i).click();
  await expect(dashboard.dialog(/invite someone/i)).toBeVisible();
  await shoot(page, 'security-members-invite');
  await dashboard.open('/dashboard/settings');
  await expect(dashboard.title(/settings/i)).toBeVisible();
  await shoot(page, 'settings');
  await dashboard.button(/^regenerate$/i).click();
  await expect(dashboard.dialog(/regenerate/i)).toBeVisible();
  await shoot(page, 'settings-regenerate');
  await dashboard.open('/dashboard/nowhere');
  await expect(dashboard.title()).toBeVisible();
  await shoot(page, 'not-found');
  await dashboard.call('POST', '/logout', {});
  await page.context().close();
  await first.page.context().close();
}

/** So that the next walk finds what this one found. */
async function revoke(dashboard: Dashboard, label: string): Promise<void> {
  const { credentials } = (await dashboard.api('GET', 'credentials?kind=client_token')).body as {
    credentials: { id: string; label: string | null }[];
  };
  const made = credentials.find((one) => one.label === label);
  const ended = await dashboard.api('DELETE', `credentials/${made?.id}`);
  expect(ended.status).toBe(204);
}

/** Nothing is on its way any more: fonts, answers, placeholders. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await page.evaluate(() => document.fonts.ready);
  await expect(page.locator('[aria-busy=true], .mantine-Skeleton-root')).toHaveCount(0);
}

test('axe sees what is wrong', async ({ page }) => {
  await page.setContent('<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"><p style="color:#999">pale</p></main>');
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((rule) => rule.id).sort()).toEqual(['color-contrast', 'image-alt']);
});
