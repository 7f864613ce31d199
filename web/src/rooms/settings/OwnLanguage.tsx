import { Select } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useOwnLanguage } from '@/api/hooks/session';
import type { Language } from '@/api/types';
import { speak, useLanguage } from '@/i18n';
import { LANGUAGES } from '@/i18n/languages';
import { ErrorNote, Panel } from '@/ui';
import row from '../parts/Row.module.css';

/** The language in which one reads the dashboard. */
export function OwnLanguage() {
  const { t } = useTranslation('settings');
  const language = useLanguage();
  const keep = useOwnLanguage();
  return (
    <Panel title={t('you.title')} intro={t('you.text')}>
      <div className={row.form}>
        <Select
          label={t('you.label')}
          data={LANGUAGES}
          value={language}
          onChange={(next) => {
            if (!next || next === language) return;
            void speak(next as Language);
            keep.mutate(next as Language);
          }}
        />
        <ErrorNote error={keep.error} />
      </div>
    </Panel>
  );
}
