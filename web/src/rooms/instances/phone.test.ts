import { expect, it } from 'vitest';
import { country, digits, phoneFault, shown } from './phone';

it('names the country of a number while it is typed', () => {
  expect(country('+55 11', 'en')).toEqual({ name: 'Brazil', code: '55' });
  expect(country('351', 'pt-BR')).toEqual({ name: 'Portugal', code: '351' });
  expect(country('+1', 'es')?.name).toContain('Canadá');
  expect(country('', 'en')).toBeNull();
  expect(country('999', 'en')).toBeNull();
});

it('says what is wrong before anybody is asked', () => {
  expect(phoneFault('0034600000000')).toBe('zero');
  expect(phoneFault('123456')).toBe('short');
  expect(phoneFault('+683 4000')).toBeNull();
  expect(phoneFault('+55 (11) 99999-0001')).toBeNull();
  expect(digits('+55 (0) 11 98888-0002')).toBe('5511988880002');
});

it('writes numbers as people read them', () => {
  expect(shown('5511999990001')).toBe('+55 11 99999-0001');
  expect(shown('34600000001')).toBe('+34 600 000 001');
  expect(shown('351910000007')).toBe('+351 910 000 007');
  expect(shown('12025550123')).toBe('+1 202 555 0123');
});
