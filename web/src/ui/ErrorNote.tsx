import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import i18n from 'i18next';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, isApiError } from '@/api/client';
import { Note } from './Note';
import { clock } from './time';

/**
 * The words for a failure: ours where we have some for its code, else the gateway's own, which are
 * English. An invalid field always keeps the gateway's, since only they say what is wrong with it.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return i18n.t('errors:unexpected');
  const key = `errors:${error.code}`;
  return i18n.exists(key) ? i18n.t(key) : error.message || i18n.t('errors:unexpected');
}

/** What is wrong with one field of a form, to be shown at that field. */
export const fieldError = (error: unknown, field: string): string | null =>
  isApiError(error) && error.field === field ? errorText(error) : null;

/** Shows a failure near what caused it. Nothing for what a field shows (`fields`) or the person
 * called off. */
export function ErrorNote({
  error,
  fields = [],
  onRetry,
}: {
  error: unknown;
  fields?: string[];
  onRetry?: () => void;
}) {
  const { t } = useTranslation('ui');
  if (!error || isApiError(error, 'cancelled')) return null;
  if (isApiError(error) && error.field !== null && fields.includes(error.field)) return null;
  return (
    <Note tone="bad" role="alert">
      <p>{errorText(error)}</p>
      {isApiError(error) && error.retryAfter !== null && <Wait error={error} />}
      {onRetry && (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh size={16} />}
          onClick={onRetry}
        >
          {t('tryAgain')}
        </Button>
      )}
    </Note>
  );
}

/** Seconds left of `Retry-After` since this failure came. */
export function useWait(error: unknown): number {
  const wait = isApiError(error) ? (error.retryAfter ?? 0) : 0;
  const [from, setFrom] = useState<{ error: unknown; left: number } | null>(null);
  useEffect(() => {
    if (wait === 0) return;
    const until = Date.now() + wait * 1000;
    const tick = () => setFrom({ error, left: Math.ceil((until - Date.now()) / 1000) });
    tick();
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [error, wait]);
  if (wait === 0) return 0;
  return from !== null && from.error === error ? Math.max(0, from.left) : wait;
}

function Wait({ error }: { error: ApiError }) {
  const { t } = useTranslation('ui');
  const left = useWait(error);
  return <p aria-live="off">{left > 0 ? t('tryAgainIn', { time: clock(left) }) : t('tryNow')}</p>;
}
