import { useEffect, useState } from 'react';
import { useLanguage } from '@/i18n';
import { absolute, relative } from './time';

/** The current time, renewed each `everyMs`. */
export function useNow(everyMs = 30_000): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** A moment in words, with the exact time as its title. `exact` shows the exact time itself. */
export function When({ at, exact }: { at: string; exact?: boolean }) {
  const language = useLanguage();
  const now = useNow();
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return null;
  const full = absolute(date, language);
  return (
    <time dateTime={at} title={full}>
      {exact ? full : relative(date, now, language)}
    </time>
  );
}
