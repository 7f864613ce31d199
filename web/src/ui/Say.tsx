import { CloseButton } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { createContext, use, useCallback, useMemo, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from './ErrorNote';
import css from './Say.module.css';

type Word = { id: number; tone: 'good' | 'bad'; text: string };
export type Say = { good: (text: string) => void; bad: (failure: string | unknown) => void };

const SayContext = createContext<Say | null>(null);
const SHOWN_MS = 6_000;
let last = 0;

/** Short words about what just happened, at the edge of the page; read aloud, gone by themselves. */
export function SayProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation('ui');
  const [words, setWords] = useState<Word[]>([]);
  const drop = useCallback((id: number) => setWords((all) => all.filter((w) => w.id !== id)), []);
  const say = useMemo<Say>(() => {
    const add = (tone: Word['tone'], text: string) => {
      const id = ++last;
      setWords((all) => [...all.slice(-2), { id, tone, text }]);
      setTimeout(() => drop(id), SHOWN_MS);
    };
    return {
      good: (text) => add('good', text),
      bad: (failure) => add('bad', typeof failure === 'string' ? failure : errorText(failure)),
    };
  }, [drop]);
  return (
    <SayContext value={say}>
      {children}
      <div className={css.place} role="region" aria-label={t('notices')} aria-live="polite">
        {words.map((word) => (
          <div key={word.id} className={css.word} data-tone={word.tone}>
            {word.tone === 'good' ? (
              <IconCircleCheck size={20} aria-hidden />
            ) : (
              <IconAlertTriangle size={20} aria-hidden />
            )}
            <span className={css.text}>{word.text}</span>
            <CloseButton size="sm" aria-label={t('close')} onClick={() => drop(word.id)} />
          </div>
        ))}
      </div>
    </SayContext>
  );
}

/** `say.good('Saved')`, `say.bad(error)`. */
export function useSay(): Say {
  const say = use(SayContext);
  if (!say) throw new Error('useSay needs SayProvider above it');
  return say;
}
