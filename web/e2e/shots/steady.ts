/** Pictures of the same pages are the same pictures: what differs between two runs (ids, tokens, times,
 * ports) is put in one form on its way between the page and the gateway. */
import type { BrowserContext } from '@playwright/test';
import { env } from '../support/env';

/** The time in all pictures. */
export const NOW = new Date('2026-03-12T14:30:00Z');

/** Of the link that sets up a gateway. */
const LINK = 55 * 60_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far from now the times of these names lie. */
const TIMES: Record<string, number> = {
  created_at: -12 * DAY,
  updated_at: -2 * HOUR,
  connected_at: -3 * HOUR,
  last_used_at: -4 * MINUTE,
  seen_at: -1 * MINUTE,
  at: -26 * HOUR,
  expires_at: 23 * HOUR,
  grace_until: 20 * HOUR,
  proven_until: 9 * MINUTE,
};

const ID = /\b[A-Z]{2}[A-Z2-7]{26}\b/g;
const TOKEN = /\b(ct|cs|inst|wz|sk)_[A-Za-z0-9]{36}\b/g;

export async function steady(context: BrowserContext): Promise<void> {
  const shown = new Map<string, string>();
  const real = new Map<string, string>();
  const steadyId = (id: string): string => {
    const known = shown.get(id);
    if (known) return known;
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const count = shown.size;
    const name = id.slice(0, 2) + Array.from({ length: 26 }, (_, at) => letters[(count * 7 + at * 5) % 32]).join('');
    shown.set(id, name);
    real.set(name, id);
    return name;
  };
  const back = (text: string) => text.replace(ID, (id) => real.get(id) ?? id);
  const forth = (text: string) =>
    text
      .replace(ID, steadyId)
      .replace(TOKEN, (_, kind: string) => `${kind}_${'3xAmpLe7'.repeat(5).slice(0, 32)}mpLe`)
      .replaceAll(env.url, 'https://wa.example.com');
  const settle = (value: unknown, name = ''): unknown => {
    if (Array.isArray(value)) return value.map((one) => settle(one));
    if (value && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, settle(inner, key)]));
    }
    if (typeof value !== 'string') return value;
    const away = TIMES[name];
    if (away !== undefined) return new Date(NOW.getTime() + away).toISOString();
    if (name === 'hint') return value.replace(/[A-Za-z0-9]{4}$/, 'mpLe');
    if (name === 'secret' && /^[A-Z2-7]{32}$/.test(value)) return 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
    return forth(value);
  };
  await context.route('**/dashboard/api/**', async (route) => {
    const request = route.request();
    const body = request.postData();
    const answer = await route.fetch({
      url: back(request.url()),
      ...(body === null ? {} : { postData: back(body) }),
    });
    if (!answer.headers()['content-type']?.includes('json')) return route.fulfill({ response: answer });
    const json = settle(await answer.json()) as object;
    const link = request.url().endsWith('/links/look') && 'expires_at' in json;
    if (link) json.expires_at = new Date(NOW.getTime() + LINK).toISOString();
    await route.fulfill({ response: answer, json });
  });
}
