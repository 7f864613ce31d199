import type { Language } from '@/api/types';

/** Each in its own words. */
export const LANGUAGES: { value: Language; label: string }[] = [
  { value: 'en', label: 'English' },
  { value: 'pt-BR', label: 'Português (Brasil)' },
  { value: 'es', label: 'Español' },
];

const KEY = 'recado.language';

/** `pt-PT` → `pt-BR`, `es-MX` → `es`; null when it is none of ours. */
export function nearest(tag: string): Language | null {
  const main = tag.toLowerCase().split('-')[0];
  return LANGUAGES.find(({ value }) => value.toLowerCase().split('-')[0] === main)?.value ?? null;
}

/** The chosen one, or the first of the browser's that we speak, or English. */
export function firstLanguage(): Language {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // Storage may be forbidden.
  }
  for (const tag of [kept, ...navigator.languages]) {
    const language = tag ? nearest(tag) : null;
    if (language) return language;
  }
  return 'en';
}

export function keepLanguage(language: Language) {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Then it holds until the page is closed.
  }
}
