import { expect, it } from 'vitest';
import { actor, facts, subject } from './read';

it('tells who did it', () => {
  expect(actor({ by: { proof: 'user_session', user: 'USX' } })).toEqual({
    user: 'USX',
    proof: null,
  });
  expect(actor({ by: { proof: 'operator' } })).toEqual({ user: null, proof: 'operator' });
  // Words for a proof exist or nothing is shown: never a key.
  expect(actor({ by: { proof: 'something_new' } })).toEqual({ user: null, proof: null });
  expect(actor({})).toEqual({ user: null, proof: null });
});

it('tells what it was done to, by the best name there is', () => {
  expect(subject({ hint: 'ct_…abcd', label: 'Production' })).toBe('Production');
  expect(subject({ hint: 'ct_…abcd', label: null })).toBe('ct_…abcd');
  expect(subject({ count: 3 })).toBeNull();
});

it('writes every member, moments as moments', () => {
  expect(
    facts({
      by: { proof: 'operator' },
      grace_until: '2026-02-01T00:00:00.000Z',
      networks: ['203.0.113.0/24', '2001:db8::7'],
      count: 12,
      label: null,
    }),
  ).toEqual([
    { key: 'grace_until', at: '2026-02-01T00:00:00.000Z' },
    { key: 'networks', text: '203.0.113.0/24, 2001:db8::7' },
    { key: 'count', text: '12' },
  ]);
});
