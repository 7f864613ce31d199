import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/client';
import { ErrorNote } from '@/ui';
import { Door } from './Door';

const AGAIN_MS = 5_000;

/** The gateway does not answer, or not as it should. Tries again by itself. */
export function Unreachable({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation(['start', 'ui']);
  useEffect(() => {
    const timer = setInterval(onRetry, AGAIN_MS);
    return () => clearInterval(timer);
  }, [onRetry]);
  const silent = isApiError(error, 'unreachable');
  return (
    <Door title={t('unreachable.title')} intro={silent ? t('unreachable.intro') : undefined}>
      {!silent && <ErrorNote error={error} />}
      <p>{t('unreachable.again')}</p>
      <Button leftSection={<IconRefresh size={18} aria-hidden />} onClick={onRetry}>
        {t('ui:tryAgain')}
      </Button>
    </Door>
  );
}
