import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRevokeCredential } from '@/api/hooks/credentials';
import type { Credential } from '@/api/types';
import { useLanguage } from '@/i18n';
import { ConfirmDialog, Note, useNow, useSay } from '@/ui';
import { Mono } from '../parts/Facts';
import row from '../parts/Row.module.css';
import { span } from '../parts/time';

/** The token before, which still works for a while. */
export function Grace({ credential }: { credential: Credential }) {
  const { t } = useTranslation('settings');
  const say = useSay();
  const language = useLanguage();
  const now = useNow(1000).getTime();
  const [asking, setAsking] = useState(false);
  const revoke = useRevokeCredential();
  if (!credential.grace_until) return null;
  const left = (new Date(credential.grace_until).getTime() - now) / 1000;
  return (
    <Note tone="warn">
      <div className={row.row}>
        <div className={row.words}>
          <b>{t('token.grace')}</b> <Mono>{credential.hint}</Mono>{' '}
          {t('token.worksFor', { time: span(left, language) })}
        </div>
        <Button variant="default" size="xs" onClick={() => setAsking(true)}>
          {t('token.revoke')}
        </Button>
      </div>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('end.title')}
        confirmLabel={t('end.submit')}
        danger
        onConfirm={async () => {
          await revoke.mutateAsync(credential.id);
          say.good(t('end.done'));
        }}
      >
        <Text>{t('end.text')}</Text>
      </ConfirmDialog>
    </Note>
  );
}
