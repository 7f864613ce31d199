/** Instances: made on the page, paired by what the page shows. */
import { Phone } from '../support/phone';
import { expect, test } from '../support/test';

test('by QR', async ({ dashboard, owner }) => {
  const phone = await Phone.buy('Front desk');
  await dashboard.enter(owner);
  await dashboard.createInstance('Front desk');
  const { page } = dashboard;
  const picture = page.getByRole('img', { name: /qr/i });
  await expect(picture, 'whoever makes one wants to link it').toBeVisible({ timeout: 30_000 });
  await phone.scan(picture);
  await expect(page.getByText(/^connected$/i).first()).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(new RegExp(phone.number.slice(-4))).first()).toBeVisible();
  await expect(picture).toHaveCount(0);

  await dashboard.room('Instances').click();
  const row = page.getByRole('list', { name: /^instances$/i }).getByRole('listitem').filter({ hasText: 'Front desk' });
  await expect(row).toContainText(/connected/i);

  await test.step('a disconnected one comes back with the same pairing', async () => {
    await row.getByRole('link', { name: 'Front desk' }).click();
    await dashboard.button(/^disconnect$/i).click();
    await dashboard.dialog(/disconnect this instance/i).getByRole('button', { name: /^disconnect$/i }).click();
    await expect(page.getByText(/^disconnected$/i).first()).toBeVisible();
    await dashboard.button(/^connect again$/i).click();
    await expect(page.getByText(/^connected$/i).first()).toBeVisible({ timeout: 30_000 });
  });
});

test('by pair code', async ({ dashboard, owner }) => {
  const phone = await Phone.buy('Back office');
  await dashboard.enter(owner);
  await dashboard.createInstance('Back office');
  const { page } = dashboard;
  await page.getByRole('tab', { name: /code/i }).click();
  await page.getByRole('textbox', { name: /^phone number/i }).fill(`+${phone.number}`);
  await dashboard.button(/^get a pair code$/i).click();
  const shown = page.getByRole('group', { name: /^pair code$/i }).getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
  await expect(shown).toBeVisible({ timeout: 30_000 });
  await phone.type(((await shown.textContent()) ?? '').trim());
  await expect(page.getByText(/^connected$/i).first()).toBeVisible({ timeout: 30_000 });
});

test('a double click makes one instance', async ({ dashboard, owner }) => {
  await dashboard.enter(owner);
  const form = await dashboard.askForInstance('Only one');
  await dashboard.page.route('**/dashboard/api/instances', async (route) => {
    if (route.request().method() === 'POST') await new Promise((later) => setTimeout(later, 300));
    await route.continue();
  });
  await form.getByRole('button', { name: /^create instance$/i }).dblclick();
  await expect(dashboard.title('Only one')).toBeVisible();
  expect((await dashboard.api('GET', 'instances')).body).toMatchObject({ total: 1 });
});
