/** What people type stays text: HTML, right-to-left marks, unseen characters, great length. */
import { expect, test } from '../support/test';

const HTML = '<img src=x onerror="alert(1)"><b>bold</b>';
// A mark that would turn the rest of the page around, written out and then as the character itself.
const TURNED = 'ab\u202Edcba';

test('HTML as a name is shown as it was typed', async ({ dashboard, owner }) => {
  const { page } = dashboard;
  let asked = false;
  page.on('dialog', async (dialog) => {
    asked = true;
    await dialog.dismiss();
  });
  await dashboard.enter(owner);
  expect((await dashboard.api('POST', 'instances', { name: HTML })).status).toBe(200);
  await dashboard.open();
  await expect(page.getByText(HTML, { exact: true }).first()).toBeVisible();
  await page.getByText(HTML, { exact: true }).first().click();
  await expect(dashboard.title(HTML)).toBeVisible();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(asked).toBe(false);
});

test('marks that turn text around are refused or stay inside the name', async ({ dashboard, owner }) => {
  const { page } = dashboard;
  await dashboard.enter(owner);
  const refused = await dashboard.api('POST', 'instances', { name: TURNED });
  expect(refused, 'unseen characters are no name').toMatchObject({ status: 400, body: { field: 'name' } });
  // Letters of a right-to-left script are right, and must not pull their neighbours along.
  const arabic = 'متجر النور';
  expect((await dashboard.api('POST', 'instances', { name: arabic })).status).toBe(200);
  await dashboard.open();
  const shown = page.getByText(arabic).first();
  await expect(shown).toBeVisible();
  const apart = await shown.evaluate((element) => {
    for (let at: Element | null = element; at; at = at.parentElement) {
      if (at.tagName === 'BDI' || /isolate|plaintext/.test(getComputedStyle(at).unicodeBidi)) return true;
    }
    return false;
  });
  expect(apart, 'the name has a direction of its own').toBe(true);
});

test('the longest name breaks no page', async ({ dashboard, owner }) => {
  await dashboard.enter(owner);
  const longest = 'W'.repeat(255);
  const made = await dashboard.api('POST', 'instances', { name: longest });
  if (made.status !== 200) {
    expect(made.status).toBe(400);
    expect((await dashboard.api('POST', 'instances', { name: 'W'.repeat(100) })).status).toBe(200);
  }
  for (const width of [1280, 390]) {
    await dashboard.page.setViewportSize({ width, height: 844 });
    await dashboard.open();
    await expect(dashboard.page.getByText(/WWWWWWWW/).first()).toBeVisible();
    const over = await dashboard.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(over, `${width} px`).toBeLessThanOrEqual(0);
  }
});
