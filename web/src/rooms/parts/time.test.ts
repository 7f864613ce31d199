import { describe, expect, it } from 'vitest';
import { span } from './time';

describe('span', () => {
  it('counts down by the second below an hour, and never below nothing', () => {
    expect(span(160, 'en')).toBe('2:40');
    expect(span(9, 'en')).toBe('0:09');
    expect(span(-3, 'en')).toBe('0:00');
  });
  it('says hours and days in the language of the page', () => {
    expect(span(22 * 3600 + 100, 'en')).toBe('22 hours');
    expect(span(7 * 86400, 'pt-BR')).toBe('7 dias');
    expect(span(3600, 'es')).toBe('1 hora');
  });
});
