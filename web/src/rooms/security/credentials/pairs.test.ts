import { expect, it } from 'vitest';
import type { Credential } from '@/api/types';
import { pairs } from './pairs';

let day = 0;
const made = (change: Partial<Credential>): Credential => ({
  id: `CR${++day}`,
  kind: 'client_token',
  label: null,
  hint: 'ct_…abcd',
  instance_id: null,
  parent_id: null,
  created_at: `2026-01-${String(day).padStart(2, '0')}T00:00:00Z`,
  age_days: 1,
  last_used_at: null,
  expires_at: null,
  grace_until: null,
  revoked_at: null,
  state: 'live',
  networks: null,
  instances: null,
  ...change,
});

it('puts each secret to its token, what works apart from what is being replaced', () => {
  const one = made({ label: 'Production' });
  const two = made({ label: 'Staging' });
  const secret = (parent: Credential, change: Partial<Credential> = {}) =>
    made({ kind: 'client_secret', parent_id: parent.id, ...change });
  const old = secret(one, { state: 'grace', grace_until: '2026-02-01T00:00:00Z' });
  const gone = secret(one, { state: 'revoked', revoked_at: '2026-01-05T00:00:00Z' });
  const now = secret(one);
  const other = secret(two);
  expect(pairs([one, two, old, gone, now, other, made({ kind: 'api_token' })])).toEqual([
    { token: two, secret: other, old: [] },
    { token: one, secret: now, old: [old] },
  ]);
});

it('puts what has ended last', () => {
  const dead = made({ label: 'Newest', created_at: '2027-01-01T00:00:00Z', state: 'revoked' });
  const live = made({ label: 'Older' });
  expect(pairs([dead, live]).map(({ token }) => token.label)).toEqual(['Older', 'Newest']);
});
