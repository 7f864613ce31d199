/** Turnstile, where it is configured: against a double that answers as the vendor documents. */
import { makeAccount, startGateway, type Gateway, type Owner } from '../support/program';
import { Siteverify, widget, type Mood } from '../support/siteverify';
import { expect, test } from '../support/test';

// The vendor's own for tests; only the sandbox build takes them.
const SITE_KEY = '1x00000000000000000000AA';
const SECRET = '1x0000000000000000000000000000000AA';

let double: Siteverify;
let gateway: Gateway;
let person: Owner;

test.beforeAll(async () => {
  double = await Siteverify.start(SECRET);
  gateway = await startGateway({
    RECADO_TURNSTILE__SITE_KEY: SITE_KEY,
    RECADO_TURNSTILE__SECRET: SECRET,
    RECADO_TURNSTILE__URL: double.url,
    RECADO_LIMITS__FAILED_PROOFS_PER_NETWORK: '100000',
  });
  person = await makeAccount('Behind the check', gateway.settings);
});

test.afterAll(async () => {
  await gateway.stop();
  await double.stop();
});

test.beforeEach(() => {
  double.mood = 'right';
  double.asked.length = 0;
});

test('a person who was checked signs in', async ({ another }) => {
  const dashboard = await another({}, gateway.url);
  await widget(dashboard.page);
  await dashboard.signIn(person);
  expect(double.asked).toHaveLength(1);
  expect(double.asked[0]?.response).toMatch(/^fake\.login\./);
  expect(double.asked[0]?.idempotency_key).toMatch(/^[0-9a-f-]{36}$/);
});

const failures: [Mood, RegExp][] = [
  ['timeout-or-duplicate', /expired|used already|again/i],
  ['invalid-input-response', /expired|used already|again/i],
  ['other-host', /again|person|check/i],
  ['down', /could not|moment|later/i],
  ['html', /could not|moment|later/i],
];
for (const [mood, text] of failures) {
  test(`refused and said: ${mood}`, async ({ another }) => {
    const dashboard = await another({}, gateway.url);
    await widget(dashboard.page);
    double.mood = mood;
    await dashboard.open();
    await dashboard.fillIn(person);
    await expect(dashboard.page.getByTestId('turnstile')).toBeVisible();
    await dashboard.submit();
    await expect(dashboard.alert(text).first()).toBeVisible();
    await expect(dashboard.password(), 'what was typed stays').toHaveValue(person.password);
    expect((await dashboard.api('GET', 'me')).status).toBe(401);

    // The widget has been asked anew: the next try has a token of its own.
    double.mood = 'right';
    await dashboard.submit();
    await dashboard.in();
    const tokens = double.asked.map((one) => one.response);
    expect(tokens.at(-1)).not.toBe(tokens[0]);
  });
}

test('without its script nobody signs in, and the page says so', async ({ another }) => {
  const dashboard = await another({}, gateway.url);
  await dashboard.page.route('https://challenges.cloudflare.com/**', (route) => route.abort());
  await dashboard.open();
  await dashboard.fillIn(person);
  await expect(dashboard.page.getByText(/check.*(load|reach)|could not be loaded|blocked/i).first()).toBeVisible();
  const bare = await dashboard.call('POST', '/login', { email: person.email, password: person.password });
  expect(bare).toMatchObject({ status: 403, body: { error_code: 'human_check_failed' } });
  expect(double.asked).toHaveLength(0);
});

test('a token counts once, and /token never asks', async ({ another }) => {
  const dashboard = await another({}, gateway.url);
  await widget(dashboard.page);
  await dashboard.open();
  const login = { email: person.email, password: person.password, turnstile_token: `fake.login.${Date.now()}` };
  expect((await dashboard.call('POST', '/login', login)).status).toBe(200);
  expect(await dashboard.call('POST', '/login', login)).toMatchObject({
    status: 403,
    body: { error_code: 'human_check_failed' },
  });
  const other = { ...login, turnstile_token: `fake.signup.${Date.now()}` };
  expect((await dashboard.call('POST', '/login', other)).status, 'made for another action').toBe(403);
  const { client_token, client_secret } = person;
  expect((await dashboard.call('POST', '/token', { client_token, client_secret })).status).toBe(200);
});
