/** Letters' links: reset, change of e-mail; used, broken and absent ones. */
import { Authenticator } from '../support/authenticator';
import { letterTo, letters, linkTo } from '../support/mail';
import { phrase, unique } from '../support/program';
import { expect, test } from '../support/test';

test('a forgotten password is reset by letter, which ends all sessions', async ({ dashboard, owner, another }) => {
  await dashboard.enter(owner);
  const other = await another();
  await other.open();
  await other.page.getByRole('link', { name: /forgot/i }).click();
  await other.email().fill(owner.email);
  await other.button(/^send the link$/i).click();
  await expect(other.page.getByText(/is on its way/i).first()).toBeVisible();
  const link = await linkTo(owner.email);

  const password = phrase();
  await other.page.goto(link);
  await other.password().fill(password);
  await other.button(/^set the password$/i).click();
  await expect.poll(async () => (await dashboard.api('GET', 'me')).status, 'the old session has ended').toBe(401);
  await other.open();
  await other.fillIn(owner);
  await other.submit();
  await expect(other.alert(/password/i).first()).toBeVisible();
  await other.signIn({ email: owner.email, password });

  const late = await another();
  await late.page.goto(link);
  await expect(late.page.getByText(/does not work any more/i).first()).toBeVisible();
});

test('a reset does not step over the second factor', async ({ dashboard, owner, another }) => {
  await dashboard.enter(owner);
  await dashboard.api('POST', 'confirm', { password: owner.password });
  const begun = await dashboard.api('POST', 'second-factor', {});
  const app = new Authenticator((begun.body as { secret: string }).secret);
  expect((await dashboard.api('POST', 'second-factor/confirm', { otp: await app.fresh() })).status).toBe(200);
  await dashboard.api('POST', 'reset', { email: owner.email });
  // Of several letters to this person, the one that holds a link.
  await expect.poll(async () => (await letters()).filter((one) => one.to.includes(owner.email) && one.text.includes('/dashboard/link#')).length).toBe(1);
  const letter = (await letters()).find((one) => one.to.includes(owner.email) && one.text.includes('/dashboard/link#'));
  const link = /http\S+\/dashboard\/link#[\w-]{43}/.exec(letter?.text ?? '')?.[0] ?? '';

  const other = await another();
  const password = phrase();
  await other.page.goto(link);
  await other.password().fill(password);
  await other.otp().fill(app.wrong());
  await other.button(/^set the password$/i).click();
  await expect(other.alert(/code/i).first()).toBeVisible();
  await other.otp().fill(await app.fresh());
  await other.button(/^set the password$/i).click();
  await expect(other.button(/^sign in$/i).or(other.page.getByRole('link', { name: /sign.in/i })).first()).toBeVisible();
  expect((await other.api('GET', 'me')).status, 'a reset signs nobody in').toBe(401);
});

test('whoever asks for a reset of an unknown address learns nothing, and no letter leaves', async ({ dashboard, owner }) => {
  await dashboard.open();
  const unknown = `nobody-${unique()}@example.com`;
  const [known, strange] = [
    await dashboard.api('POST', 'reset', { email: owner.email }),
    await dashboard.api('POST', 'reset', { email: unknown }),
  ];
  expect(strange).toEqual(known);
  expect(known.status).toBe(202);
  await letterTo(owner.email);
  expect((await letters()).filter((one) => one.to.includes(unknown))).toEqual([]);
});

test('another e-mail counts once its link was opened', async ({ dashboard, owner, another }) => {
  await dashboard.enter(owner);
  const email = `moved-${unique()}@example.com`;
  await dashboard.security('password');
  await dashboard.page.getByRole('textbox', { name: /new e-mail/i }).fill(email);
  await dashboard.button(/^change e-mail$/i).click();
  await dashboard.prove(owner);
  const link = await linkTo(email);
  const other = await another();
  await other.signIn(owner);
  const third = await another();
  await third.page.goto(link);
  await third.button(/^use this e-mail$/i).click();
  await expect.poll(async () => (await other.api('GET', 'me')).status, 'its sessions have ended').toBe(401);
  await third.signIn({ email, password: owner.password });
  const notice = await letterTo(owner.email);
  expect(notice.text).not.toContain('/dashboard/link#');
});

test('broken links say what to do', async ({ dashboard }) => {
  for (const end of ['', '#', '#short', `#${'A'.repeat(43)}`, '#%3Cscript%3Ealert(1)%3C/script%3E']) {
    await dashboard.page.goto('about:blank');
    await dashboard.open(`/dashboard/link${end}`);
    await expect(dashboard.page.getByText(/does not work any more|which link was it/i).first(), end).toBeVisible();
  }
});
