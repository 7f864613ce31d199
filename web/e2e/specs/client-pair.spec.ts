/** Security: a pair for each environment; a secret rotates while the old one goes on working. */
import { call } from '../support/dashboard';
import { expect, test } from '../support/test';

test('a pair for staging; its secret rotates with a grace, and both give JWTs', async ({ dashboard, owner }) => {
  const { page } = dashboard;
  const token = (client_token: string, client_secret: string) =>
    call(`${dashboard.url}/token`, { body: { client_token, client_secret } });
  await dashboard.enter(owner);
  await dashboard.security('credentials');

  await dashboard.button(/^new pair$/i).click();
  await dashboard.dialog(/new client pair/i).getByLabel(/^label/i).fill('Staging');
  await dashboard.button(/^make the pair$/i).click();
  await dashboard.prove(owner);
  await expect(dashboard.dialog().last(), 'with the advice').toContainText(/environment variable|secret manager/i);
  const [client = '', secret = ''] = await dashboard.keep('ct', 'cs');
  expect((await token(client, secret)).status).toBe(200);

  const card = page.getByRole('article', { name: 'Staging' });
  await card.getByRole('button', { name: /rotate/i }).click();
  const rotate = dashboard.dialog(/rotate/i);
  await rotate.getByRole('radio', { name: /24 hours/i }).check();
  await rotate.getByRole('button', { name: /^rotate$/i }).click();
  const [next = ''] = await dashboard.keep('cs');
  expect(next).not.toBe(secret);
  const [old, fresh] = [await token(client, secret), await token(client, next)];
  expect([old.status, fresh.status]).toEqual([200, 200]);
  await expect(card).toContainText(/old secret.*works for another/is);

  await test.step('the other environment has noticed nothing', async () => {
    expect((await token(owner.client_token, owner.client_secret)).status).toBe(200);
  });

  await test.step('the end of the grace ends the old one', async () => {
    await card.getByRole('button', { name: /^end now$/i }).click();
    await dashboard.dialog(/end the old one now/i).getByRole('button', { name: /^end now$/i }).click();
    await expect.poll(async () => (await token(client, secret)).status).toBe(401);
    expect((await token(client, next)).status).toBe(200);
  });
});

test('a JWT for an hour, ready to use', async ({ dashboard, owner }) => {
  await dashboard.mayCopy();
  await dashboard.enter(owner);
  await dashboard.security('credentials');
  await dashboard.button(/^get a jwt$/i).click();
  await dashboard.prove(owner);
  await dashboard.button(/^copy: jwt$/i).click();
  const bearer = await dashboard.clipboard();
  expect(bearer).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  const listed = await call(`${dashboard.url}/instances/list`, { bearer, body: { page: 1, size: 5 } });
  expect(listed.status).toBe(200);
});
