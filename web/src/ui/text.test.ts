import { expect, it } from 'vitest';
import { clean } from './text';
import { clock, relative } from './time';

it('shows no mark that acts without being seen', () => {
  expect(clean('invoice\u202Efdp.exe')).toBe('invoicefdp.exe');
  expect(clean('a\u200Bb\u0000c\u2066d\uFEFF')).toBe('abcd');
});

it('keeps what writing needs', () => {
  expect(clean('<b>Ñandú</b> 👩‍🍳 عربي')).toBe('<b>Ñandú</b> 👩‍🍳 عربي');
});

it('says how long ago in the language', () => {
  const now = new Date('2026-03-07T12:00:00Z');
  const at = (text: string) => new Date(text);
  expect(relative(at('2026-03-07T09:00:00Z'), now, 'en')).toBe('3 hours ago');
  expect(relative(at('2026-03-09T13:00:00Z'), now, 'es')).toBe('pasado mañana');
  expect(relative(at('2026-03-07T11:59:30Z'), now, 'pt-BR')).toBe('agora');
});

it('counts down in minutes and seconds', () => {
  expect([65, 59.2, 0, -3].map(clock)).toEqual(['1:05', '1:00', '0:00', '0:00']);
});
