import { expect, it } from 'vitest';
import { dayOf, endOf } from './day';

const now = new Date(2026, 2, 7, 12);

it('ends with the chosen day, not before it', () => {
  expect(endOf('2026-03-07', now)).toEqual(new Date(2026, 2, 7, 23, 59, 59));
  expect(dayOf(new Date(2026, 2, 7, 0, 1))).toBe('2026-03-07');
});

it('takes no day that is over, and none that is no day', () => {
  for (const bad of ['2026-03-06', '2027-02-30', '', '07.03.2027']) {
    expect(endOf(bad, now), bad).toBeNull();
  }
});
