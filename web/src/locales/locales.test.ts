import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const HERE = import.meta.dirname;
const SRC = join(HERE, '..');
const LANGUAGES = ['en', 'pt-BR', 'es'];

type Texts = { [key: string]: string | Texts };

const load = (language: string, file: string) =>
  JSON.parse(readFileSync(join(HERE, language, file), 'utf8')) as Texts;

/** `a.b` → text. */
function flat(texts: Texts, above = ''): Map<string, string> {
  return new Map(
    Object.entries(texts).flatMap(([key, value]) =>
      typeof value === 'string' ? [[above + key, value] as const] : [...flat(value, `${above}${key}.`)],
    ),
  );
}

const holes = (text: string) => (text.match(/\{\{\s*\w+\s*\}\}|<\/?\w+\/?>/g) ?? []).sort();
const base = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, '');

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));

const namespaces = readdirSync(join(HERE, 'en')).sort();

describe.each(namespaces)('%s', (file) => {
  const namespace = file.replace('.json', '');
  const english = flat(load('en', file));

  it.each(LANGUAGES.slice(1))('has the same keys and holes in %s', (language) => {
    const other = flat(load(language, file));
    expect([...other.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [key, text] of english) {
      expect(holes(other.get(key) ?? ''), `${key} in ${language}`).toEqual(holes(text));
    }
  });

  it('has no key that nothing uses', () => {
    const all = sources.map(({ text }) => text).join('\n');
    const literals = new Set([...all.matchAll(/'([\w.:-]+)'|"([\w.:-]+)"/g)].map((m) => m[1] ?? m[2]));
    // `state.${state}`: whatever stands in the braces may be any key.
    const patterns = [...all.matchAll(/`([\w.:-]*\$\{[^`]*?\}[\w.:-]*)`/g)]
      .map((m) => (m[1] ?? '').split(/\$\{[^}]*\}/))
      .filter((parts) => parts.some((part) => /\w/.test(part)))
      .map((parts) => new RegExp(`^(${namespace}:)?${parts.map((p) => p.replaceAll('.', '\\.').replace(`${namespace}:`, '')).join('[\\w.-]+')}$`));
    // The codes of errors come from the gateway.
    const unused = namespace === 'errors' ? [] : [...english.keys()].map(base).filter(
      (key) =>
        !literals.has(key) &&
        !literals.has(`${namespace}:${key}`) &&
        !patterns.some((pattern) => pattern.test(key)),
    );
    expect(unused).toEqual([]);
  });
});

it('finds every key that the code names', () => {
  const known = new Map(
    namespaces.map((file) => [
      file.replace('.json', ''),
      new Set([...flat(load('en', file)).keys()].flatMap((key) => [key, base(key)])),
    ]),
  );
  const missing: string[] = [];
  for (const { path, text } of sources) {
    const own = [...text.matchAll(/useTranslation\((?:\[)?'([\w-]+)'/g)].map((m) => m[1] ?? '');
    const calls = [...text.matchAll(/\bt\(([^`)]*?)[,)]/g)].flatMap((m) =>
      [...(m[1] ?? '').matchAll(/'([\w.:-]+)'/g)].map((found) => found[1] ?? ''),
    );
    for (const key of calls) {
      const [before, after] = key.includes(':') ? key.split(':') : [null, key];
      const where = before !== null ? [before] : own.length > 0 ? own : [...known.keys()];
      // In `t(a === 'b' ? 'x' : 'y')` the compared word is no key.
      if (new RegExp(`[=!]==? '${key}'`).test(text)) continue;
      if (!where.some((ns) => known.get(ns ?? '')?.has(after ?? ''))) missing.push(`${path}: ${key}`);
    }
  }
  expect(missing).toEqual([]);
});
