import { expect, it } from 'vitest';
import { may, nextPath, signInPath } from './member';

it('comes back only to a page of the dashboard', () => {
  expect(nextPath('?next=%2Fsecurity%2Fmembers')).toBe('/security/members');
  for (const elsewhere of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:x', ''])
    expect(nextPath(`?next=${encodeURIComponent(elsewhere)}`)).toBe('/');
  expect(nextPath('')).toBe('/');
  expect(nextPath(signInPath('/settings').slice('/sign-in'.length))).toBe('/settings');
});

it('does not come back to the sign-in page', () => {
  expect(nextPath('?next=%2Fsign-in')).toBe('/');
});

it('orders the roles', () => {
  expect(may('viewer', 'developer')).toBe(false);
  expect(may('admin', 'developer')).toBe(true);
  expect(may('owner', 'owner')).toBe(true);
});
