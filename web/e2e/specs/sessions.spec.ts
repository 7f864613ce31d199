/** Sessions: listed, ended, ended everywhere; one that ends in the middle of a form comes back there. */
import { call } from '../support/dashboard';
import { expect, test } from '../support/test';

test('sign out everywhere', async ({ dashboard, owner, another }) => {
  await dashboard.enter(owner);
  const other = await another();
  await other.enter(owner);
  const issued = await call(`${dashboard.url}/token`, {
    body: { client_token: owner.client_token, client_secret: owner.client_secret },
  });
  const { access_token: bearer } = issued.body as { access_token: string };
  const list = () => call(`${dashboard.url}/instances/list`, { bearer, body: { page: 1, size: 1 } });
  expect((await list()).status).toBe(200);

  await dashboard.security('sessions');
  await dashboard.button(/^sign out everywhere$/i).click();
  await dashboard.button(/^sign out everyone$/i).click();
  await dashboard.prove(owner);
  await dashboard.out();
  await other.open('/dashboard/settings');
  await other.out();
  expect((await list()).status, 'JWTs of the account end, too').toBe(401);
  await other.signIn(owner);
});

test('one of one’s own sessions is ended from another', async ({ dashboard, owner, another }) => {
  await dashboard.enter(owner);
  const other = await another();
  await other.enter(owner);
  await dashboard.security('sessions');
  await expect(dashboard.page.getByRole('row').filter({ hasText: /this browser/i })).toHaveCount(1);
  await dashboard.button(/^end all others$/i).click();
  await dashboard.dialog(/end all other sessions/i).getByRole('button', { name: /^end all others$/i }).click();
  await expect.poll(async () => (await other.api('GET', 'me')).status).toBe(401);
  expect((await dashboard.api('GET', 'me')).status).toBe(200);
});

test('a session that ends in the middle of a form comes back where one was', async ({ dashboard, owner }) => {
  await dashboard.enter(owner);
  const form = await dashboard.askForInstance('Half written');
  // As if the session had ended elsewhere.
  await dashboard.page.context().clearCookies();
  await form.getByRole('button', { name: /^create instance$/i }).click();

  const again = dashboard.dialog(/please sign in again/i);
  await expect(again).toBeVisible();
  await dashboard.password(again).fill(owner.password);
  await again.getByRole('button', { name: /^sign in$/i }).click();
  await expect(dashboard.title('Half written')).toBeVisible();
  expect((await dashboard.api('GET', 'instances')).body).toMatchObject({ total: 1 });
});

test('a page of another site can neither read nor write', async ({ dashboard, owner }) => {
  await dashboard.enter(owner);
  const cookie = (await dashboard.page.context().cookies()).find((one) => one.name === '__Host-recado');
  expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
  const header = { cookie: `__Host-recado=${cookie?.value}`, 'content-type': 'application/json' };
  const url = `${dashboard.url}/dashboard/api/instances`;
  const foreign = await fetch(url, { headers: { ...header, 'sec-fetch-site': 'cross-site' } });
  expect(foreign.status).toBe(403);
  const body = JSON.stringify({ name: 'Planted' });
  for (const origin of ['https://evil.example', 'null', undefined]) {
    const headers: Record<string, string> = origin === undefined ? header : { ...header, origin };
    const answer = await fetch(url, { method: 'POST', headers, body });
    expect(answer.status, String(origin)).toBe(403);
    expect(await answer.json()).toMatchObject({ error_code: 'foreign_origin' });
  }
  expect((await dashboard.api('GET', 'instances')).body).toMatchObject({ total: 0 });
  // And the cookie is nothing anywhere else.
  const rest = await fetch(`${dashboard.url}/instances/list`, { method: 'POST', headers: header, body: '{}' });
  expect(rest.status).toBe(401);
});
