/** Signing in and out with e-mail and password. */
import { phrase } from '../support/program';
import { expect, test } from '../support/test';

test('signs in, stays so over a reload, and signs out', async ({ dashboard, owner }) => {
  await dashboard.signIn(owner);
  await dashboard.page.reload();
  await dashboard.in();
  expect(await dashboard.page.evaluate(() => document.cookie), 'scripts do not see the cookie').toBe('');
  const stored = await dashboard.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(stored).not.toContain(owner.password);
  expect(stored).not.toMatch(/(wz|ct|cs|inst|sk)_[A-Za-z0-9]{20}/);

  await dashboard.room('Settings').click();
  await expect(dashboard.title(/settings/i)).toBeVisible();
  await dashboard.button(/your menu/i).click();
  await dashboard.dialog(/your menu/i).getByRole('button', { name: /^sign out$/i }).click();
  await dashboard.out();
  await dashboard.page.goBack();
  await expect(dashboard.page).toHaveURL(/\/dashboard\//);
  await dashboard.out();
  expect((await dashboard.api('GET', 'me')).status).toBe(401);
});

test('a wrong password and an unknown e-mail look the same, and keep what was typed', async ({ dashboard, owner }) => {
  const texts: (string | null)[] = [];
  for (const email of [owner.email, 'nobody@example.com']) {
    await dashboard.open();
    await dashboard.fillIn({ email, password: 'not the password at all' });
    await dashboard.submit();
    const alert = dashboard.alert(/password/i).first();
    await expect(alert).toBeVisible();
    texts.push(await alert.textContent());
    await expect(dashboard.email()).toHaveValue(email);
  }
  expect(texts[0]).toBe(texts[1]);
  await dashboard.fillIn(owner);
  await dashboard.submit();
  await dashboard.in();
});

test('whoever comes to a room signs in and is there', async ({ dashboard, owner }) => {
  await dashboard.open('/dashboard/security/sessions');
  await dashboard.fillIn(owner);
  await dashboard.submit();
  await dashboard.in();
  await expect(dashboard.page).toHaveURL(/\/dashboard\/security\/sessions$/);
  // Where to go is never another site.
  await dashboard.call('POST', '/logout', {});
  await dashboard.open('/dashboard/sign-in?next=https://evil.example/');
  await dashboard.fillIn(owner);
  await dashboard.submit();
  await dashboard.in();
  expect(dashboard.page.url()).toContain(dashboard.url);
});

test('the keyboard is enough', async ({ dashboard, owner }) => {
  const { page } = dashboard;
  await dashboard.open();
  await expect(dashboard.email()).toBeVisible();
  const reach = async (target: ReturnType<typeof dashboard.email>) => {
    for (let steps = 0; steps < 25; steps += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error('Tab does not lead there');
  };
  await reach(dashboard.email());
  await page.keyboard.type(owner.email);
  await reach(dashboard.password());
  await page.keyboard.type(owner.password);
  await page.keyboard.press('Enter');
  await dashboard.in();

  const room = dashboard.room('Settings');
  await reach(room);
  const ring = await room.evaluate((element) => {
    const look = getComputedStyle(element);
    return look.outlineStyle !== 'none' || look.boxShadow !== 'none';
  });
  expect(ring, 'one sees where the keyboard is').toBe(true);
  await page.keyboard.press('Enter');
  await expect(dashboard.title(/settings/i)).toBeVisible();
  await expect(dashboard.title(/settings/i), 'reading goes on at the title').toBeFocused();
});

test('a double click signs in once', async ({ dashboard, owner }) => {
  let asked = 0;
  await dashboard.page.route('**/login', async (route) => {
    asked += 1;
    await new Promise((later) => setTimeout(later, 300));
    await route.continue();
  });
  await dashboard.open();
  await dashboard.fillIn(owner);
  await dashboard.button(/^sign in$/i).dblclick();
  await dashboard.in();
  expect(asked).toBe(1);
});

test('a gateway that does not answer is named, and asked again', async ({ dashboard, owner }) => {
  await dashboard.open();
  await dashboard.fillIn(owner);
  await dashboard.page.route('**/login', (route) => route.abort('connectionrefused'));
  await dashboard.submit();
  await expect(dashboard.alert(/does not answer/i).first()).toBeVisible();
  await expect(dashboard.password()).toHaveValue(owner.password);
  await dashboard.page.unroute('**/login');
  await dashboard.submit();
  await dashboard.in();
});

test('too many tries say how long to wait', async ({ dashboard, owner }) => {
  await dashboard.page.route('**/login', (route) =>
    route.fulfill({
      status: 429,
      headers: { 'retry-after': '7' },
      json: { code: 429, success: false, error: 'rate_limited', message: 'Too many tries.', error_code: 'rate_limited' },
    }),
  );
  await dashboard.open();
  await dashboard.fillIn({ ...owner, password: phrase() });
  await dashboard.submit();
  await expect(dashboard.alert(/try again in.*[1-7]/i).first()).toBeVisible();
  await expect(dashboard.button(/^sign in$/i)).toBeDisabled();
});
