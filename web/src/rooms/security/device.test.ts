import { expect, it } from 'vitest';
import { device } from './device';

it('names browser and system, whatever else they claim to be', () => {
  const told = (agent: string) => Object.values(device(agent)).join(' / ');
  expect(
    told(
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
    ),
  ).toBe('Chrome / Linux');
  expect(
    told(
      'Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0',
    ),
  ).toBe('Edge / Windows');
  expect(
    told(
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    ),
  ).toBe('Safari / iPhone');
  expect(told('Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0')).toBe(
    'Firefox / Android',
  );
});

it('shows what is no browser by its own name, and nothing as nothing', () => {
  expect(device('curl/8.5.0')).toEqual({ other: 'curl/8.5.0' });
  expect(device(null)).toEqual({});
});
