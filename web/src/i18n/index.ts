/** Texts by language and namespace, each namespace of each language a file that is loaded when needed. */
import i18n, { type BackendModule } from 'i18next';
import { initReactI18next, useTranslation } from 'react-i18next';
import type { Language } from '@/api/types';
import { firstLanguage, keepLanguage } from './languages';

const files = import.meta.glob<{ default: Record<string, unknown> }>('../locales/*/*.json');

const backend: BackendModule = {
  type: 'backend',
  init: () => undefined,
  read(language, namespace, done) {
    const load = files[`../locales/${language}/${namespace}.json`];
    if (!load) return done(new Error(`no texts ${language}/${namespace}`), false);
    load().then(
      (file) => done(null, file.default),
      (error: Error) => done(error, false),
    );
  },
};

export async function startTexts() {
  await i18n
    .use(backend)
    .use(initReactI18next)
    .init({
      lng: firstLanguage(),
      // A test holds the three languages to the same keys: no second one needs loading.
      fallbackLng: false,
      ns: ['ui', 'session', 'errors'],
      defaultNS: 'ui',
      interpolation: { escapeValue: false },
      returnNull: false,
      // It would print what its makers sell to everybody's console.
      showSupportNotice: false,
    });
  mark(language());
  i18n.on('languageChanged', (next) => mark(next));
}

const mark = (next: string) => document.documentElement.setAttribute('lang', next);

export const language = () => i18n.language as Language;

/** Changes the texts at once and remembers it in this browser. */
export async function speak(next: Language) {
  keepLanguage(next);
  if (next !== i18n.language) await i18n.changeLanguage(next);
}

/** The language of the page, for `Intl`. */
export function useLanguage(): Language {
  return useTranslation('ui').i18n.language as Language;
}
