/** Phone numbers as people type them. */

/** Calling codes where Recado's people and their customers are; others are fine, and are just not named. */
const COUNTRIES: Record<string, string> = {
  1: 'US', 20: 'EG', 27: 'ZA', 30: 'GR', 31: 'NL', 32: 'BE', 33: 'FR', 34: 'ES', 36: 'HU', 39: 'IT',
  40: 'RO', 41: 'CH', 43: 'AT', 44: 'GB', 45: 'DK', 46: 'SE', 47: 'NO', 48: 'PL', 49: 'DE', 51: 'PE',
  52: 'MX', 53: 'CU', 54: 'AR', 55: 'BR', 56: 'CL', 57: 'CO', 58: 'VE', 60: 'MY', 61: 'AU', 62: 'ID',
  63: 'PH', 64: 'NZ', 65: 'SG', 66: 'TH', 81: 'JP', 82: 'KR', 84: 'VN', 86: 'CN', 90: 'TR', 91: 'IN',
  92: 'PK', 212: 'MA', 234: 'NG', 238: 'CV', 240: 'GQ', 244: 'AO', 245: 'GW', 254: 'KE', 258: 'MZ',
  351: 'PT', 352: 'LU', 353: 'IE', 358: 'FI', 420: 'CZ', 502: 'GT', 503: 'SV', 504: 'HN', 505: 'NI',
  506: 'CR', 507: 'PA', 591: 'BO', 593: 'EC', 595: 'PY', 598: 'UY', 670: 'TL', 852: 'HK', 886: 'TW',
  966: 'SA', 971: 'AE', 972: 'IL',
}; // prettier-ignore

/** Without the `(0)` that is dialled inside a country only. */
export const digits = (text: string) => text.replace(/\(\s*0\s*\)/g, '').replace(/\D/g, '');

/** The country that a number begins with, as far as we know it. */
export function country(text: string, language: string): { name: string; code: string } | null {
  const number = digits(text);
  for (const length of [3, 2, 1]) {
    const code = number.slice(0, length);
    const region = code.length === length ? COUNTRIES[code] : undefined;
    if (!region) continue;
    // +1 is all of North America.
    const name =
      region === 'US'
        ? ['US', 'CA'].map((one) => naming(language).of(one) ?? one).join(' / ')
        : (naming(language).of(region) ?? region);
    return { name, code };
  }
  return null;
}

const naming = (language: string) => new Intl.DisplayNames([language], { type: 'region' });

/** What is wrong with a number, before anybody is asked: null when nothing is. */
export function phoneFault(text: string): 'zero' | 'short' | null {
  const number = digits(text);
  if (number.startsWith('0')) return 'zero';
  return number.length < 7 || number.length > 15 ? 'short' : null;
}

/** `5511999990001` → `+55 11 99999-0001` for Brazil; others in groups of three after the country code. */
export function shown(phone: string): string {
  const number = digits(phone);
  const brazil = /^55(\d{2})(\d{4,5})(\d{4})$/.exec(number);
  if (brazil) return `+55 ${brazil[1]} ${brazil[2]}-${brazil[3]}`;
  const code = country(number, 'en')?.code ?? '';
  const rest = number.slice(code.length).match(/\d{1,3}/g) ?? [];
  // A last group of one digit reads as a slip.
  if (rest.length > 1 && rest.at(-1)?.length === 1) rest.splice(-2, 2, rest.slice(-2).join(''));
  return `+${[code, ...rest].filter(Boolean).join(' ')}`;
}
