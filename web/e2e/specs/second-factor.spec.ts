/** The second factor: begun, used, replayed, recovered, ended. */
import { Authenticator } from '../support/authenticator';
import type { Dashboard } from '../support/dashboard';
import { readQr } from '../support/phone';
import type { Owner } from '../support/program';
import { expect, test } from '../support/test';

/** Turns it on by the page; gives the app and the recovery codes. */
async function turnOn(dashboard: Dashboard, owner: Owner): Promise<{ app: Authenticator; codes: string[] }> {
  const { page } = dashboard;
  await dashboard.security('second-factor');
  await dashboard.button(/^set up$/i).first().click();
  await dashboard.prove(owner);
  const shown = page.getByText(/^[A-Z2-7 ]{32,}$/).first();
  await expect(shown).toBeVisible();
  const secret = (await shown.textContent())?.replace(/\s/g, '') ?? '';
  const scanned = await readQr(page.getByRole('img', { name: /qr/i }));
  expect(scanned, 'the picture says the same as the text').toContain(`secret=${secret}`);
  expect(scanned).toMatch(/^otpauth:\/\/totp\//);
  const app = new Authenticator(secret);

  await dashboard.otp().fill(app.wrong());
  await dashboard.button(/^turn on$/i).click();
  await expect(dashboard.alert(/code/i).first()).toBeVisible();
  await dashboard.otp().fill(await app.fresh());
  await dashboard.button(/^turn on$/i).click();

  const list = page.getByRole('listitem').filter({ hasText: /^[0-9A-Z]{6}(-[0-9A-Z]{6}){3}$/i });
  await expect(list).toHaveCount(10);
  const codes = await list.allTextContents();
  await dashboard.stored();
  await expect(list).toHaveCount(0);
  return { app, codes };
}

test('on, a code once, a recovery code once, off', async ({ dashboard, owner, another }) => {
  test.setTimeout(180_000);
  await dashboard.enter(owner);
  const { app, codes } = await turnOn(dashboard, owner);
  expect((await dashboard.api('GET', 'me')).body).toMatchObject({ user: { second_factor: true, recovery_codes_left: 10 } });

  await test.step('the password alone is not enough, nor is a wrong code', async () => {
    const other = await another();
    await other.open();
    await other.fillIn(owner);
    await other.submit();
    await other.otp().fill(app.wrong());
    await other.submit();
    await expect(other.alert(/code/i).first()).toBeVisible();
    expect((await other.api('GET', 'me')).status).toBe(401);
    await other.otp().fill(await app.fresh());
    await other.submit();
    await other.in();
  });

  await test.step('a code that was used is refused, although its time has not passed', async () => {
    const other = await another();
    await other.open();
    await other.fillIn(owner);
    await other.submit();
    await other.otp().fill(app.again());
    await other.submit();
    await expect(other.alert(/code/i).first()).toBeVisible();
    expect((await other.api('GET', 'me')).status).toBe(401);
  });

  await test.step('a recovery code works once', async () => {
    const [code = ''] = codes;
    for (const works of [true, false]) {
      const other = await another();
      await other.open();
      await other.fillIn(owner);
      await other.submit();
      await other.page.getByRole('button', { name: /recovery code/i }).click();
      // As people copy them from paper.
      await other.page.getByRole('textbox', { name: /recovery code/i }).fill(code.toLowerCase().replace(/-/g, ' '));
      await other.submit();
      if (works) await other.in();
      else await expect(other.alert(/code/i).first()).toBeVisible();
    }
    expect((await dashboard.api('GET', 'me')).body).toMatchObject({ user: { recovery_codes_left: 9 } });
  });

  await test.step('off again', async () => {
    await dashboard.security('second-factor');
    await dashboard.button(/^turn off$/i).click();
    await dashboard.dialog(/turn the second factor off/i).getByRole('button', { name: /^turn off$/i }).click();
    // The proof of the beginning still holds, unless this took long: that factor was not there then.
    const off = dashboard.button(/^set up$/i);
    await expect(off.or(dashboard.proof()).first()).toBeVisible();
    if (await dashboard.proof().isVisible()) await dashboard.prove(owner, app);
    await expect(dashboard.button(/^set up$/i).first()).toBeVisible();
    const other = await another();
    await other.signIn(owner);
  });
});
