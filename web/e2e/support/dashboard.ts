/** What people do on the dashboard, in their words. The one place that knows how things are called. */
import { expect, type Locator, type Page } from '@playwright/test';
import type { Authenticator } from './authenticator';
import type { Person } from './program';

export type Room = 'Instances' | 'Security' | 'Settings';
export type Answer = { status: number; body: unknown };

export class Dashboard {
  constructor(
    readonly page: Page,
    readonly url: string,
  ) {}

  // --- places

  async open(path = '/dashboard/'): Promise<void> {
    await this.page.goto(`${this.url}${path}`);
  }

  /** A part of the Security room. */
  async security(part: 'credentials' | 'sessions' | 'second-factor' | 'password' | 'members' | 'audit'): Promise<void> {
    await this.open(`/dashboard/security/${part}`);
    await expect(this.title()).toBeVisible();
  }

  title(name?: string | RegExp): Locator {
    return this.page.getByRole('heading', { level: 1, name });
  }

  room(name: Room): Locator {
    return this.page.getByRole('navigation').getByRole('link', { name });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }

  dialog(name?: string | RegExp): Locator {
    return this.page.getByRole('dialog', { name });
  }

  alert(text: string | RegExp): Locator {
    return this.page.getByRole('alert').filter({ hasText: text });
  }

  // --- signing in

  email(): Locator {
    return this.page.getByRole('textbox', { name: /^e-mail/i });
  }

  /** A password field has no role, and beside each stands a button with nearly its name. */
  password(within: Locator | Page = this.page): Locator {
    return within.locator('input[autocomplete$=-password]').first();
  }

  otp(within: Locator | Page = this.page): Locator {
    return within.getByRole('textbox', { name: /code from your authenticator/i });
  }

  async fillIn({ email, password }: Person): Promise<void> {
    await this.email().fill(email);
    await this.password().fill(password);
  }

  async submit(): Promise<void> {
    await this.button(/^sign in$/i).click();
  }

  /** Signs in by the form, from wherever one is. */
  async signIn(person: Person, authenticator?: Authenticator): Promise<void> {
    await this.open();
    await this.fillIn(person);
    await this.submit();
    if (authenticator) {
      await this.otp().fill(await authenticator.fresh());
      await this.submit();
    }
    await this.in();
  }

  /** Signs in beside the form, for tests that are about something else. */
  async enter({ email, password }: Person): Promise<void> {
    await this.open();
    const answer = await this.call('POST', '/login', { email, password });
    expect(answer, 'POST /login').toMatchObject({ status: 200 });
    await this.open();
    await this.in();
  }

  /** That one is signed in. */
  async in(): Promise<void> {
    await expect(this.room('Instances')).toBeVisible();
  }

  /** That one is asked to sign in. */
  async out(): Promise<void> {
    await expect(this.button(/^sign in$/i)).toBeVisible();
    await expect(this.room('Instances')).toHaveCount(0);
  }

  // --- the proof dialog

  proof(): Locator {
    return this.dialog(/is it you/i);
  }

  /** Shows once more who one is, where the gateway asks for it; it asks once in ten minutes. */
  async prove(person: Person, authenticator?: Authenticator): Promise<void> {
    const dialog = this.proof();
    await this.password(dialog).fill(person.password);
    if (authenticator) await this.otp(dialog).fill(await authenticator.fresh());
    await dialog.getByRole('button', { name: /^confirm$/i }).click();
    await expect(dialog).toHaveCount(0);
  }

  /** Reads what a dialog shows only once, by its prefix, and says that it is stored. */
  async keep(...prefixes: string[]): Promise<string[]> {
    const once = this.dialog().filter({ has: this.page.getByRole('checkbox', { name: /stored/i }) });
    await expect(once).toBeVisible();
    const text = (await once.textContent()) ?? '';
    const found = prefixes.map((prefix) => new RegExp(`${prefix}_[A-Za-z0-9]{36}`).exec(text)?.[0] ?? '');
    expect(found, `tokens in: ${text}`).not.toContain('');
    await this.stored();
    for (const token of found) await expect(this.page.getByText(token), 'shown once').toHaveCount(0);
    return found;
  }

  async stored(): Promise<void> {
    await this.page.getByRole('checkbox', { name: /stored/i }).check();
    await this.button(/^done$/i).click();
  }

  // --- what several specs do

  async createInstance(name: string): Promise<void> {
    await this.room('Instances').click();
    await this.askForInstance(name);
    await this.button(/^create instance$/i).click();
    await expect(this.title(name)).toBeVisible();
  }

  /** The dialog, filled in and not sent. */
  async askForInstance(name: string): Promise<Locator> {
    await this.button(/^new instance$/i).click();
    const form = this.dialog(/^new instance$/i);
    await form.getByRole('textbox', { name: /^name/i }).fill(name);
    return form;
  }

  async invite(email: string, role: RegExp): Promise<void> {
    await this.security('members');
    await this.button(/^invite someone$/i).click();
    const form = this.dialog(/^invite someone$/i);
    await form.getByRole('textbox', { name: /^e-mail/i }).fill(email);
    await form.getByRole('radio', { name: role }).check();
    await form.getByRole('button', { name: /^send invitation$/i }).click();
  }

  // --- beside the page

  /** A request of the page's own: its origin, its cookie, and whom that stands for. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.page.evaluate(
      async ({ method, path, body }) => {
        const headers: Record<string, string> = {};
        const init: RequestInit = { method, headers };
        const who = path.startsWith('/dashboard/api/') ? await fetch('/dashboard/api/me') : null;
        if (who?.ok) {
          const { account, user } = (await who.json()) as Record<'account' | 'user', { id: string }>;
          headers['x-recado-account'] = account.id;
          headers['x-recado-user'] = user.id;
        }
        if (body !== undefined) {
          headers['content-type'] = 'application/json';
          init.body = JSON.stringify(body);
        }
        const answer = await fetch(path, init);
        const text = await answer.text();
        let said: unknown = text;
        try {
          said = JSON.parse(text);
        } catch {
          // Then it is text.
        }
        return { status: answer.status, body: said };
      },
      { method, path, body },
    );
  }

  api(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.call(method, `/dashboard/api/${path}`, body);
  }

  /** What a copy button put there. */
  async clipboard(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  async mayCopy(): Promise<void> {
    await this.page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: this.url });
  }
}

/** A call of somebody who is no browser. */
export async function call(url: string, init: { method?: string; bearer?: string; body?: unknown } = {}): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json, text/event-stream' };
  if (init.bearer) headers['authorization'] = `Bearer ${init.bearer}`;
  if (init.body !== undefined) headers['content-type'] = 'application/json';
  const answer = await fetch(url, {
    method: init.method ?? (init.body === undefined ? 'GET' : 'POST'),
    headers,
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
}
