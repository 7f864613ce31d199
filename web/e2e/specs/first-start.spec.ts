/** A gateway that nobody has set up gives its first owner a link, once. */
import { phrase, setupLink, unique } from '../support/program';
import { expect, test } from '../support/test';

test('the first owner comes by the link, and it works once', async ({ fresh, another }) => {
  const dashboard = await another({}, fresh.url);
  const link = await setupLink(fresh);
  const person = { email: `first-${unique()}@example.com`, password: phrase() };

  await dashboard.page.goto(link);
  await expect(dashboard.page, 'the token leaves the address bar at once').not.toHaveURL(/#/);
  await dashboard.page.getByLabel(/business/i).fill('Padaria Aurora');
  await dashboard.fillIn(person);
  await dashboard.button(/^set up$/i).click();
  await dashboard.in();
  await expect(dashboard.page.getByText('Padaria Aurora').first()).toBeVisible();
  expect((await dashboard.api('GET', 'me')).body).toMatchObject({
    user: { email: person.email },
    account: { name: 'Padaria Aurora', role: 'owner' },
  });

  const later = await another({}, fresh.url);
  await later.page.goto(link);
  await expect(later.page.getByText(/does not work any more/i).first()).toBeVisible();
  await later.signIn(person);
});

test('without a link, the page says where it was written', async ({ fresh, another }) => {
  const dashboard = await another({}, fresh.url);
  await dashboard.open();
  await expect(dashboard.page.getByText(/setup-link\.txt/).first()).toBeVisible();
  expect((await dashboard.api('GET', 'state')).body).toMatchObject({ setup_needed: true, network: 'sandbox' });
});

test('a short password and a common one are refused beside their field, and what was typed stays', async ({
  fresh,
  another,
}) => {
  const dashboard = await another({}, fresh.url);
  await dashboard.page.goto(await setupLink(fresh));
  await dashboard.page.getByLabel(/business/i).fill('Padaria Aurora');
  for (const password of ['fourteen chars', 'passwordpassword']) {
    await dashboard.fillIn({ email: 'first@example.com', password });
    await dashboard.button(/^set up$/i).click();
    await expect(dashboard.password()).toHaveAttribute('aria-invalid', 'true');
    await expect(dashboard.password()).toHaveValue(password);
    await expect(dashboard.page.getByLabel(/business/i)).toHaveValue('Padaria Aurora');
  }
  await dashboard.fillIn({ email: 'first@example.com', password: phrase() });
  await dashboard.button(/^set up$/i).click();
  await dashboard.in();
});
