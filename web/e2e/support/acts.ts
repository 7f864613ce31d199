/** Every call of the page that acts, as a person makes it: what leads up to the last click, and that click. */
import { readFileSync } from 'node:fs';
import { expect } from '@playwright/test';
import type { Dashboard } from './dashboard';
import type { Person } from './program';

/** What there is in the account that the tab shows. */
export type Stage = {
  owner: Person;
  /** The name of the account that the session acts in by then. */
  elsewhere: string;
  linked: string;
  unlinked: string;
  member: string;
  invited: string;
  /** The label of a client pair. */
  pair: string;
};

type Step = (tab: Dashboard, stage: Stage) => Promise<void>;
export type Act = { at: string | ((stage: Stage) => string); ready?: Step; act: Step };

type Operation = { parameters?: { name: string; in: string }[] };
const document = JSON.parse(
  readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'),
) as { paths: Record<string, Record<string, Operation>> };

/** Those of the gateway's own description that say whom they mean and are more than a look. */
export const ACTING = Object.entries(document.paths)
  .flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { parameters }]) => parameters?.some(({ name }) => name === 'X-Recado-Account'))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  )
  // Asking for a QR begins pairing.
  .filter((call) => !call.startsWith('GET ') || call.endsWith('/qr'))
  .sort();

const click = (name: string | RegExp): Step => (tab) => tab.button(name).first().click();
/** The last click of a dialog. */
const submit = (name: RegExp): Step => (tab) => tab.dialog().getByRole('button', { name }).click();
const fill = (label: RegExp, text: string, within?: RegExp): Step => async (tab) => {
  const place = within ? tab.dialog(within) : tab.page;
  await place.getByRole('textbox', { name: label }).fill(text);
};
const all = (...steps: Step[]): Step => async (tab, stage) => {
  for (const step of steps) await step(tab, stage);
};
const menu = (name: RegExp): Step => async (tab, { pair }) => {
  await tab.button(`More for ${pair}`).click();
  await tab.page.getByRole('menuitem', { name }).click();
};
/** As the page draws it for somebody whose second factor is on. */
const factorOn: Step = async (tab) => {
  await tab.page.route('**/dashboard/api/me', async (route) => {
    if (route.request().method() !== 'GET') return route.fallback();
    const answer = await route.fetch();
    const me = (await answer.json()) as { user?: object };
    Object.assign(me.user ?? {}, { second_factor: true, recovery_codes_left: 9 });
    await route.fulfill({ response: answer, json: me });
  }, { times: 3 });
  await tab.page.reload();
};

const instance = (which: 'linked' | 'unlinked') => (stage: Stage) => `/dashboard/instances/${stage[which]}`;
const security = (part: string) => `/dashboard/security/${part}`;
const CREDENTIALS = security('credentials');
const MEMBERS = security('members');
const SESSIONS = security('sessions');

export const ACTS: Record<string, Act> = {
  // The first one: nothing is proven yet.
  'POST /dashboard/api/confirm': {
    at: CREDENTIALS,
    ready: all(click(/^get a jwt$/i), (tab, { owner }) => tab.password(tab.proof()).fill(owner.password)),
    act: (tab) => tab.proof().getByRole('button', { name: /^confirm$/i }).click(),
  },
  'POST /dashboard/api/token': { at: CREDENTIALS, act: click(/^get a jwt$/i) },
  'POST /dashboard/api/credentials': {
    at: CREDENTIALS,
    ready: all(click(/^new pair$/i), fill(/^label/i, 'Planted')),
    act: submit(/^make the pair$/i),
  },
  'PATCH /dashboard/api/credentials/{cid}': {
    at: CREDENTIALS,
    ready: all(menu(/change the label/i), (tab) => tab.dialog().getByRole('textbox').fill('Renamed')),
    act: submit(/^save$/i),
  },
  'DELETE /dashboard/api/credentials/{cid}': {
    at: CREDENTIALS,
    ready: menu(/^revoke pair$/i),
    act: submit(/^revoke$/i),
  },
  'POST /dashboard/api/credentials/{cid}/rotate': {
    at: CREDENTIALS,
    ready: menu(/rotate the whole pair/i),
    act: submit(/^rotate$/i),
  },
  'POST /dashboard/api/credentials/{cid}/reveal': {
    at: CREDENTIALS,
    act: (tab, { pair }) => tab.button(`Show the client token of ${pair}`).click(),
  },
  'POST /dashboard/api/instances': {
    at: '/dashboard/',
    ready: async (tab) => void (await tab.askForInstance('Planted')),
    act: submit(/^create instance$/i),
  },
  'DELETE /dashboard/api/instances/{id}': {
    at: instance('unlinked'),
    ready: all(click(/^delete instance$/i), (tab) => tab.dialog().getByRole('textbox').fill('Unlinked')),
    act: submit(/^delete for good$/i),
  },
  'GET /dashboard/api/instances/{id}/qr': { at: instance('unlinked'), act: click(/^show the qr code$/i) },
  'POST /dashboard/api/instances/{id}/pair-code': {
    at: instance('unlinked'),
    ready: async (tab) => {
      await tab.page.getByRole('tab', { name: /pair code/i }).click();
      await tab.page.getByRole('textbox', { name: /phone number/i }).fill('+55 11 98888-0001');
    },
    act: click(/^get a pair code$/i),
  },
  'POST /dashboard/api/instances/{id}/token': { at: instance('unlinked'), act: click(/^show the token$/i) },
  'POST /dashboard/api/instances/{id}/disconnect': {
    at: instance('linked'),
    ready: click(/^disconnect$/i),
    act: submit(/^disconnect$/i),
  },
  'POST /dashboard/api/members/invite': {
    at: MEMBERS,
    ready: all(click(/^invite someone$/i), fill(/^e-mail/i, 'planted@example.com', /invite/i)),
    act: submit(/^send invitation$/i),
  },
  'DELETE /dashboard/api/members/invitations/{lid}': {
    at: MEMBERS,
    ready: (tab, { invited }) => tab.button(`Withdraw the invitation of ${invited}`).click(),
    act: submit(/^withdraw$/i),
  },
  'PATCH /dashboard/api/members/{uid}': {
    at: MEMBERS,
    ready: async (tab, { member }) => {
      // Mantine's list belongs to the field of that name.
      await tab.page.getByRole('combobox', { name: `Role of ${member}` })
        .or(tab.page.getByRole('textbox', { name: `Role of ${member}` })).first().click();
      await tab.page.getByRole('option', { name: 'Developer' }).click();
    },
    act: submit(/^change role$/i),
  },
  'DELETE /dashboard/api/members/{uid}': {
    at: MEMBERS,
    ready: (tab, { member }) => tab.button(`Remove ${member}`).click(),
    act: submit(/^remove$/i),
  },
  'PATCH /dashboard/api/account': {
    at: '/dashboard/settings',
    ready: fill(/^business name/i, 'Renamed'),
    act: click(/^save$/i),
  },
  'PATCH /dashboard/api/me': {
    at: '/dashboard/settings',
    ready: (tab, { owner }) => tab.button(owner.email).click(),
    act: async (tab) => void (await tab.page.getByRole('combobox', { name: 'Language', exact: true }).last().selectOption('es')),
  },
  'POST /dashboard/api/account/switch': {
    at: '/dashboard/settings',
    ready: click(/switch account/i),
    act: (tab, { elsewhere }) => tab.page.getByRole('listitem').filter({ hasText: elsewhere }).getByRole('button').click(),
  },
  'POST /dashboard/api/account/sign-out': {
    at: SESSIONS,
    ready: click(/^sign out everywhere$/i),
    act: submit(/^sign out everyone$/i),
  },
  'POST /dashboard/api/sessions/end-others': {
    at: SESSIONS,
    ready: click(/^end all others$/i),
    act: submit(/^end all others$/i),
  },
  'DELETE /dashboard/api/sessions/{sid}': { at: SESSIONS, act: click(/^end the session/i) },
  'POST /dashboard/api/password': {
    at: security('password'),
    ready: (tab) => tab.password().fill('planted harbour lantern teapot'),
    act: click(/^change password$/i),
  },
  'POST /dashboard/api/email': {
    at: security('password'),
    ready: fill(/^new e-mail/i, 'planted@example.com'),
    act: click(/^change e-mail$/i),
  },
  'POST /dashboard/api/second-factor': { at: security('second-factor'), act: click(/^set up$/i) },
  'POST /dashboard/api/second-factor/confirm': {
    at: security('second-factor'),
    ready: async (tab, { owner }) => {
      await tab.button(/^set up$/i).first().click();
      await expect(tab.otp().or(tab.proof()).first()).toBeVisible();
      if (await tab.proof().isVisible()) await tab.prove(owner);
      await tab.otp().fill('000000');
    },
    act: click(/^turn on$/i),
  },
  'DELETE /dashboard/api/second-factor': {
    at: security('second-factor'),
    ready: all(factorOn, click(/^turn off$/i)),
    act: submit(/^turn off$/i),
  },
  'POST /dashboard/api/second-factor/recovery-codes': {
    at: security('second-factor'),
    ready: all(factorOn, click(/^new recovery codes$/i)),
    act: submit(/^get new codes$/i),
  },
  'POST /logout': {
    at: '/dashboard/settings',
    ready: (tab, { owner }) => tab.button(owner.email).click(),
    act: click(/^sign out$/i),
  },
};
