/** The content security policy: strict, and no page breaks it (support/test.ts watches all others, too). */
import { expect, test } from '../support/test';

const PAGES = [
  '/dashboard/',
  '/dashboard/security/credentials',
  '/dashboard/security/sessions',
  '/dashboard/security/second-factor',
  '/dashboard/security/password',
  '/dashboard/security/members',
  '/dashboard/security/audit',
  '/dashboard/settings',
  '/dashboard/nowhere',
];

test('every page under the policy', async ({ dashboard, owner }) => {
  await dashboard.enter(owner);
  const nonces = new Set<string>();
  for (const path of PAGES) {
    const answer = await dashboard.page.goto(`${dashboard.url}${path}`);
    await expect(dashboard.title()).toBeVisible();
    const policy = answer?.headers()['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe-|https?:|\*/);
    nonces.add(/'nonce-([^']+)'/.exec(policy)?.[1] ?? 'none');
    await expect(dashboard.page).toHaveTitle(/recado/i);
  }
  expect(nonces.has('none')).toBe(false);
  expect(nonces.size, 'a nonce is used once').toBe(PAGES.length);
});

test('nothing is loaded from anywhere else', async ({ dashboard, owner }) => {
  const hosts = new Set<string>();
  dashboard.page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:') hosts.add(origin);
  });
  await dashboard.signIn(owner);
  for (const path of PAGES) await dashboard.open(path);
  expect([...hosts]).toEqual([dashboard.url]);
});

test('a breach would be seen', async ({ dashboard, complaints }) => {
  await dashboard.open();
  await dashboard.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.planted = true';
    document.head.append(script);
  });
  await expect.poll(() => complaints.length).toBeGreaterThan(0);
  expect(await dashboard.page.evaluate(() => 'planted' in window)).toBe(false);
  complaints.length = 0;
});
