import { Button, Code } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useGateway } from '@/api/hooks/state';
import { Note } from '@/ui';
import { Door } from './Door';
import css from './SetupNeeded.module.css';

/** Nobody is here yet: only who runs the program can see where its first link was written. */
export function SetupNeeded() {
  const { t } = useTranslation(['start', 'ui']);
  const gateway = useGateway();
  return (
    <Door title={t('setupNeeded.title')} intro={t('setupNeeded.intro')}>
      <ol className={css.steps}>
        <li>{t('setupNeeded.terminal')}</li>
        <li>
          {t('setupNeeded.file')} <Code>setup-link.txt</Code>
        </li>
      </ol>
      <Note>{t('setupNeeded.once')}</Note>
      <Button
        variant="default"
        leftSection={<IconRefresh size={18} aria-hidden />}
        loading={gateway.isFetching}
        onClick={() => void gateway.refetch()}
      >
        {t('setupNeeded.again')}
      </Button>
    </Door>
  );
}
