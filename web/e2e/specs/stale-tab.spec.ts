/** Two tabs of one browser share a session: a tab that shows another account than the session's does nothing. */
import type { Browser, Page } from '@playwright/test';
import { ACTING, ACTS, type Stage } from '../support/acts';
import { Dashboard } from '../support/dashboard';
import { env } from '../support/env';
import { linkTo } from '../support/mail';
import { Phone } from '../support/phone';
import { makeAccount, phrase, unique, type Owner, type Person } from '../support/program';
import { expect, test } from '../support/test';

/** Beside the page, by somebody with a session of their own; must succeed. */
async function done(by: Dashboard, method: string, path: string, body?: unknown): Promise<Record<string, string>> {
  const answer = await by.api(method, path, body);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body as Record<string, string>;
}

/** A place of the dashboard's where no page runs, so that none follows what is done beside it. */
const BESIDE = '/dashboard/icon.svg';

/** Signs in there. */
async function beside(by: Dashboard, { email, password }: Person, account?: string): Promise<Dashboard> {
  await by.open(BESIDE);
  const answer = await by.call('POST', '/login', { email, password, account });
  expect(answer, 'POST /login').toMatchObject({ status: 200 });
  return by;
}

/** Invites `email` into the account of `by`; whoever `guest` is joins with `password`. */
async function join(by: Dashboard, guest: Dashboard, email: string, role: string, password: string): Promise<void> {
  await done(by, 'POST', 'members/invite', { email, role });
  const token = (await linkTo(email)).split('#')[1];
  await guest.open(BESIDE);
  await done(guest, 'POST', 'links/use', { token, password });
}

async function pair(by: Dashboard, id: string): Promise<void> {
  const phone = await Phone.buy('Shop');
  const camera = await by.page.context().newPage();
  for (const until = Date.now() + 60_000; ; ) {
    const { status, qr_image: image } = await done(by, 'GET', `instances/${id}/qr`);
    if (status === 'connected') break;
    if (image && status === 'waiting') {
      await camera.setContent(`<img src="${image}">`);
      await phone.scan(camera.locator('img'));
    }
    expect(Date.now(), `${status}`).toBeLessThan(until);
    await new Promise((later) => setTimeout(later, 300));
  }
  await camera.close();
}

/** All that one sees of an account. */
async function picture(by: Dashboard): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const path of ['instances', 'credentials?state=all', 'members', 'audit?limit=100']) {
    seen.push(await done(by, 'GET', path));
  }
  const { sessions } = (await done(by, 'GET', 'sessions')) as unknown as { sessions: { id: string }[] };
  const { user, account } = (await done(by, 'GET', 'me')) as Record<string, unknown>;
  return [...seen, sessions.map(({ id }) => id).sort(), user, account];
}

/** The tab hears and sees nothing of what happens elsewhere, from `freeze` until it is refused. */
class Deaf extends Dashboard {
  private frozen = false;
  private readonly refusals: string[] = [];

  static async open(page: Page): Promise<Deaf> {
    const tab = new Deaf(page, env.url);
    await page.addInitScript(() => Reflect.deleteProperty(window, 'BroadcastChannel'));
    await page.route('**/dashboard/api/**', (route) => {
      const looks = route.request().method() === 'GET' && !route.request().url().endsWith('/qr');
      // What looks stays without an answer.
      if (!this.isFrozen(tab) || !looks) return route.fallback();
    });
    page.on('response', (answer) => {
      if (answer.status() !== 409) return;
      tab.frozen = false;
      tab.refusals.push(`${answer.request().method()} ${new URL(answer.url()).pathname}`);
    });
    return tab;
  }

  private static isFrozen = (tab: Deaf) => tab.frozen;

  freeze() {
    this.refusals.length = 0;
    this.frozen = true;
  }

  refused = () => this.refusals;
}

type World = { tab: Deaf; other: Dashboard; here: Dashboard; there: Dashboard; stage: Stage; owner: Owner; beyond: Owner };

async function world(page: Page, another: () => Promise<Dashboard>, owner: Owner): Promise<World> {
  const beyond = await makeAccount(`Beyond ${unique()}`);
  const [here, there, guest] = [await another(), await another(), await another()];
  for (const [by, who] of [[here, owner], [there, beyond]] as const) {
    await beside(by, who);
    await done(by, 'POST', 'confirm', { password: who.password });
  }
  await join(there, guest, owner.email, 'owner', owner.password);
  const member = `member-${unique()}@example.com`;
  await join(here, guest, member, 'viewer', phrase());
  const invited = `invited-${unique()}@example.com`;
  await done(here, 'POST', 'members/invite', { email: invited, role: 'viewer' });
  const { id: linked } = await done(here, 'POST', 'instances', { name: 'Linked' });
  const { id: unlinked } = await done(here, 'POST', 'instances', { name: 'Unlinked' });
  const label = 'Production';
  await done(here, 'POST', 'credentials', { kind: 'client', label });
  await pair(here, linked ?? '');
  const stage: Stage = {
    owner, member, invited, pair: label, elsewhere: beyond.business,
    linked: linked ?? '', unlinked: unlinked ?? '',
  };
  const tab = await Deaf.open(page);
  const other = new Dashboard(await page.context().newPage(), env.url);
  await beside(other, owner);
  return { tab, other, here, there, stage, owner, beyond };
}

const pathOf = (call: string) => new RegExp(`^${call.replace(/\{\w+\}/g, '[^/]+')}$`);

/** Each acting call once, after `away` and before `back`; and `shown` afterwards. */
async function each(world: World, away: () => Promise<void>, back: () => Promise<void>): Promise<void> {
  const { tab, here, there, stage, beyond } = world;
  for (const [call, { at, ready, act }] of Object.entries(ACTS)) {
    await test.step(call, async () => {
      await back();
      await tab.open(typeof at === 'string' ? at : at(stage));
      await expect(tab.title().first()).toBeVisible();
      await ready?.(tab, stage);
      tab.freeze();
      await away();
      const before = [await picture(here), await picture(there)];
      await act(tab, stage);
      await expect.poll(() => tab.refused()).toEqual([expect.stringMatching(pathOf(call))]);
      await expect(tab.alert(/loaded anew/i)).toContainText(beyond.business);
      await expect(tab.page.getByRole('banner').getByText(beyond.business)).toBeVisible();
      expect([await picture(here), await picture(there)]).toEqual(before);
    });
  }
}

test('each acting call of the page is known here', () => {
  expect(ACTING.length).toBeGreaterThan(25);
  expect(Object.keys(ACTS).sort()).toEqual(ACTING);
});

test('after a switch in another tab, nothing that a stale tab asks for is done', async ({ page, owner, another }) => {
  test.setTimeout(600_000);
  const all = await world(page, another, owner);
  const to = (name: string) => switchTo(all.other, name);
  await each(all, () => to(all.beyond.business), () => to(owner.business));
});

test('after somebody else signed in, nothing that a stale tab asks for is done', async ({ page, owner, another }) => {
  test.setTimeout(600_000);
  const all = await world(page, another, owner);
  const { other, here, beyond } = all;
  const me = (await done(here, 'GET', 'me')) as unknown as { account: { id: string } };
  const enter = async (who: Owner, account?: string) => void (await beside(other, who, account));
  await each(all, () => enter(beyond), () => enter(owner, me.account.id));
});

/** Beside the page, as if another tab had done it. */
async function switchTo(by: Dashboard, name: string): Promise<void> {
  const { accounts } = (await done(by, 'GET', 'me')) as unknown as { accounts: { id: string; name: string }[] };
  const account = accounts.find((one) => one.name === name)?.id;
  await done(by, 'POST', 'account/switch', { account });
}

/** Two tabs as they are. */
async function twoTabs(dashboard: Dashboard, browser: Browser, owner: Owner): Promise<[Dashboard, Owner]> {
  const beyond = await makeAccount(`Beyond ${unique()}`);
  const context = await browser.newContext({ baseURL: env.url });
  const there = new Dashboard(await context.newPage(), env.url);
  await beside(there, beyond);
  await done(there, 'POST', 'confirm', { password: beyond.password });
  const guest = new Dashboard(await context.newPage(), env.url);
  await join(there, guest, owner.email, 'owner', owner.password);
  await context.close();
  await dashboard.enter(owner);
  await switchTo(dashboard, owner.business);
  await dashboard.open('/dashboard/settings');
  const other = new Dashboard(await dashboard.page.context().newPage(), env.url);
  await other.open('/dashboard/settings');
  await other.in();
  return [other, beyond];
}

const business = ({ page }: Dashboard, { business }: Owner) => page.getByRole('banner').getByText(business);

async function choose(dashboard: Dashboard, { business }: Owner): Promise<void> {
  await dashboard.button(/switch account/i).click();
  await dashboard.page.getByRole('listitem').filter({ hasText: business }).getByRole('button').click();
}

test('tabs tell each other of switching, signing out and signing in', async ({ dashboard, owner, browser }) => {
  const [other, beyond] = await twoTabs(dashboard, browser, owner);
  await choose(other, beyond);
  await expect(business(other, beyond)).toBeVisible();
  await expect(dashboard.alert(/loaded anew/i)).toContainText(owner.business);
  await expect(business(dashboard, beyond)).toBeVisible();
  await expect(other.alert(/loaded anew/i), 'it knows itself').toHaveCount(0);
  await dashboard.createInstance('Of the other');

  await other.button(owner.email).click();
  await other.button(/^sign out$/i).click();
  await other.out();
  await dashboard.out();
  await dashboard.fillIn(beyond);
  await dashboard.submit();
  await dashboard.in();
  await other.in();
  await expect(other.page.getByText('Of the other').first()).toBeVisible();
});

test('a tab that comes to the front looks', async ({ dashboard, owner, browser }) => {
  await dashboard.page.addInitScript(() => Reflect.deleteProperty(window, 'BroadcastChannel'));
  const [other, beyond] = await twoTabs(dashboard, browser, owner);
  await choose(other, beyond);
  await expect(business(other, beyond)).toBeVisible();
  await expect(business(dashboard, owner), 'it has heard nothing').toBeVisible();
  await dashboard.page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await expect(dashboard.alert(/loaded anew/i)).toContainText(owner.business);
  await expect(business(dashboard, beyond)).toBeVisible();
});
