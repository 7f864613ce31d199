import { Button, Select } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAudit } from '@/api/hooks/audit';
import { EmptyState, ErrorNote, Loading, Panel } from '@/ui';
import css from './Audit.module.css';
import { Entry } from './Entry';
import { GROUPS, type Group } from './kinds';

/** What was done in this account, newest first. */
export function AuditPart() {
  const { t } = useTranslation('audit');
  const [kind, setKind] = useState<string | null>(null);
  const log = useAudit(kind);
  const entries = log.data?.pages.flatMap((page) => page.entries);
  const groups = (Object.keys(GROUPS) as Group[]).map((group) => ({
    group: t(`group.${group}`),
    items: GROUPS[group].map((one) => ({ value: one, label: t(`kind.${one.replace('.', '_')}`) })),
  }));
  return (
    <Panel
      title={t('title')}
      intro={t('intro')}
      flush
      actions={
        <Select
          aria-label={t('filter')}
          placeholder={t('all')}
          data={groups}
          value={kind}
          onChange={setKind}
          allowDeselect
          clearable
          searchable
          clearButtonProps={{ 'aria-label': t('all') }}
          w={260}
          maxDropdownHeight={360}
        />
      }
    >
      {log.error && (
        <div className={css.inset}>
          <ErrorNote error={log.error} onRetry={() => void log.refetch()} />
        </div>
      )}
      {!entries && !log.error && <Loading />}
      {entries?.length === 0 && (
        <div className={css.inset}>
          <EmptyState icon={<IconHistory size={28} stroke={1.6} />} title={t('empty.title')}>
            {kind ? t('empty.filtered') : t('empty.text')}
          </EmptyState>
        </div>
      )}
      {entries && entries.length > 0 && (
        <>
          <ol className={css.log}>
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ol>
          <div className={css.more}>
            {log.hasNextPage ? (
              <Button
                variant="default"
                loading={log.isFetchingNextPage}
                onClick={() => void log.fetchNextPage()}
              >
                {t('older')}
              </Button>
            ) : (
              <span>{t('end')}</span>
            )}
          </div>
        </>
      )}
    </Panel>
  );
}
