/** Members: invited by letter; a viewer neither finds nor reaches what is not theirs. */
import type { Dashboard } from '../support/dashboard';
import { linkTo } from '../support/mail';
import { phrase, unique, type Person } from '../support/program';
import { expect, test } from '../support/test';

async function join(dashboard: Dashboard, person: Person): Promise<void> {
  await dashboard.page.goto(await linkTo(person.email));
  await expect(dashboard.page).not.toHaveURL(/#/);
  await dashboard.password().fill(person.password);
  await dashboard.button(/^join$/i).click();
  await dashboard.in();
}

test('a viewer sees instances and no more', async ({ dashboard, owner, another }) => {
  await dashboard.enter(owner);
  const made = await dashboard.api('POST', 'instances', { name: 'Front desk' });
  expect(made.status).toBe(200);
  const { id } = made.body as { id: string };
  const person = { email: `viewer-${unique()}@example.com`, password: phrase() };
  await dashboard.invite(person.email, /^viewer/i);
  await dashboard.prove(owner);
  await expect(dashboard.page.getByText(person.email).first()).toBeVisible();

  const viewer = await another();
  await join(viewer, person);
  await expect(viewer.page.getByText('Front desk').first()).toBeVisible();

  await test.step('no button offers what they may not', async () => {
    await expect(viewer.button(/^new instance$/i)).toHaveCount(0);
    await viewer.page.getByText('Front desk').first().click();
    await expect(viewer.title('Front desk')).toBeVisible();
    for (const name of [/^delete/i, /^disconnect/i, /show the token/i, /pair code/i]) {
      await expect(viewer.button(name).and(viewer.page.locator(':enabled'))).toHaveCount(0);
    }
    await viewer.security('members');
    await expect(viewer.page.getByText(owner.email).first()).toBeVisible();
    await expect(viewer.button(/invite/i).and(viewer.page.locator(':enabled'))).toHaveCount(0);
    await viewer.room('Settings').click();
    await expect(viewer.title(/settings/i)).toBeVisible();
    await expect(viewer.button(/regenerate/i).and(viewer.page.locator(':enabled'))).toHaveCount(0);
  });

  await test.step('asked directly, the gateway says no', async () => {
    const refused: [string, string, unknown?][] = [
      ['POST', 'instances', { name: 'Mine' }],
      ['DELETE', `instances/${id}`],
      ['GET', `instances/${id}/qr`],
      ['POST', `instances/${id}/pair-code`, { phone: '5511999990001' }],
      ['POST', `instances/${id}/disconnect`, {}],
      ['POST', `instances/${id}/token`, {}],
      ['GET', 'credentials'],
      ['POST', 'credentials', { kind: 'client', label: 'mine' }],
      ['POST', 'members/invite', { email: 'friend@example.com', role: 'owner' }],
      ['PATCH', 'account', { name: 'Mine' }],
      ['POST', 'account/sign-out', {}],
      ['GET', 'audit'],
    ];
    for (const [method, path, body] of refused) {
      const answer = await viewer.api(method, path, body);
      expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { error_code: 'role_too_low' } });
    }
    expect((await viewer.api('GET', 'members')).body).toMatchObject({ invitations: [] });
    expect((await dashboard.api('GET', 'instances')).body).toMatchObject({ total: 1 });
  });

  await test.step('a new role counts at once', async () => {
    const { user } = (await viewer.api('GET', 'me')).body as { user: { id: string } };
    expect((await dashboard.api('PATCH', `members/${user.id}`, { role: 'developer' })).status).toBe(204);
    await viewer.open();
    await viewer.out();
    await viewer.signIn(person);
    await expect(viewer.button(/^new instance$/i).first()).toBeVisible();
  });
});

test('an invitation that was withdrawn is worth nothing', async ({ dashboard, owner, another }) => {
  const email = `late-${unique()}@example.com`;
  await dashboard.enter(owner);
  await dashboard.invite(email, /^developer/i);
  await dashboard.prove(owner);
  const link = await linkTo(email);
  const { page } = dashboard;
  await dashboard.button(`Withdraw the invitation of ${email}`).click();
  await dashboard.dialog(/withdraw this invitation/i).getByRole('button', { name: /^withdraw$/i }).click();
  await expect(page.getByRole('table').getByText(email)).toHaveCount(0);
  const other = await another();
  await other.page.goto(link);
  await expect(other.page.getByText(/does not work any more/i).first()).toBeVisible();
});

test('the last owner stays', async ({ dashboard, owner }) => {
  await dashboard.enter(owner);
  await dashboard.api('POST', 'confirm', { password: owner.password });
  const { user } = (await dashboard.api('GET', 'me')).body as { user: { id: string } };
  for (const [method, body] of [['DELETE', undefined], ['PATCH', { role: 'viewer' }]] as const) {
    const answer = await dashboard.api(method, `members/${user.id}`, body);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  }
  expect((await dashboard.api('GET', 'me')).body).toMatchObject({ account: { role: 'owner' } });
});
