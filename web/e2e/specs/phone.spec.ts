/** On a phone: every room is reached with a thumb, and nothing runs off the screen. */
import { expect, test } from '../support/test';

test('the rooms on a small screen', async ({ another, owner }) => {
  const dashboard = await another({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const { page } = dashboard;
  await dashboard.open();
  await dashboard.fillIn(owner);
  await dashboard.button(/^sign in$/i).tap();
  await expect(dashboard.title()).toBeVisible();
  for (const room of ['Security', 'Settings', 'Instances'] as const) {
    const link = dashboard.room(room);
    if (!(await link.first().isVisible())) await dashboard.button(/menu|navigation/i).first().tap();
    await link.first().tap();
    await expect(dashboard.title(new RegExp(room, 'i'))).toBeVisible();
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(over, `${room} is as wide as the screen`).toBeLessThanOrEqual(0);
    const box = await link.first().boundingBox();
    if (box) expect(box.height, 'room for a thumb').toBeGreaterThanOrEqual(40);
  }
});
