/** What there is to see: a bakery with a few instances, people and credentials. Made once for all pictures. */
import type { Browser } from '@playwright/test';
import { Dashboard } from '../support/dashboard';
import { env } from '../support/env';
import { linkTo } from '../support/mail';
import { Phone } from '../support/phone';
import { makeAccount, phrase, type Owner } from '../support/program';

export async function setStage(browser: Browser): Promise<Owner> {
  const owner = await makeAccount('Padaria Aurora', undefined, 'ana@padaria.example');
  const context = await browser.newContext({ baseURL: env.url });
  const dashboard = new Dashboard(await context.newPage(), env.url);
  const done = async (method: string, path: string, body?: unknown) => {
    const answer = await dashboard.api(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as Record<string, string>;
  };
  await dashboard.enter(owner);
  await done('POST', 'confirm', { password: owner.password });

  for (const [name, number] of [
    ['Front desk', '5511987650001'],
    ['Deliveries', '5511987650002'],
  ] as const) {
    const { id } = await done('POST', 'instances', { name });
    const phone = await Phone.buy(name, number);
    await pair(dashboard, phone, `instances/${id}/qr`);
    if (name === 'Deliveries') await done('POST', `instances/${id}/disconnect`, {});
  }
  await done('POST', 'instances', { name: 'Wholesale' });

  for (const label of ['Production', 'Staging']) {
    const pair = await done('POST', 'credentials', { kind: 'client', label });
    if (label === 'Production') {
      await done('POST', `credentials/${pair['client_secret_id']}/rotate`, { grace_seconds: 86_400 });
    }
  }
  for (const [email, role] of [
    ['bruno@padaria.example', 'developer'],
    ['clara@padaria.example', 'viewer'],
  ] as const) {
    await done('POST', 'members/invite', { email, role });
    if (role !== 'developer') continue;
    const token = (await linkTo(email)).split('#')[1];
    const guest = await browser.newContext({ baseURL: env.url });
    const page = new Dashboard(await guest.newPage(), env.url);
    await page.open();
    const joined = await page.api('POST', 'links/use', { token, password: phrase() });
    if (joined.status !== 200) throw new Error(`links/use: ${JSON.stringify(joined)}`);
    await guest.close();
  }
  await dashboard.call('POST', '/logout', {});
  await context.close();
  return owner;
}

/** Pairs beside the page: the picture is drawn on an empty one and read there. */
async function pair(dashboard: Dashboard, phone: Phone, path: string): Promise<void> {
  const camera = await dashboard.page.context().newPage();
  for (const until = Date.now() + 60_000; ; ) {
    const { status, qr_image: image } = (await dashboard.api('GET', path)).body as Record<string, string | null>;
    if (status === 'connected') break;
    if (image && status === 'waiting') {
      await camera.setContent(`<img src="${image}">`);
      await phone.scan(camera.locator('img'));
    }
    if (Date.now() > until) throw new Error(`${phone.number} was not paired: ${status}`);
    await new Promise((later) => setTimeout(later, 300));
  }
  await camera.close();
}
