import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRevokeCredential } from '@/api/hooks/credentials';
import type { Credential } from '@/api/types';
import { useLanguage } from '@/i18n';
import { ConfirmDialog, useNow, useSay } from '@/ui';
import { Mono } from '../../parts/Facts';
import { span } from '../../parts/time';
import css from './PairCard.module.css';

/** A predecessor in its grace: how long it still works, and ending it now. */
export function Old({ credential, what }: { credential: Credential; what: string }) {
  const { t } = useTranslation('security');
  const say = useSay();
  const language = useLanguage();
  const now = useNow(1000).getTime();
  const [asking, setAsking] = useState(false);
  const revoke = useRevokeCredential();
  if (!credential.grace_until) return null;
  const left = (new Date(credential.grace_until).getTime() - now) / 1000;
  return (
    <div className={css.old}>
      <span>
        <b>{what}</b> <Mono>{credential.hint}</Mono>{' '}
        {t('pairs.worksUntil', { time: span(left, language) })}
      </span>
      <Button variant="default" size="xs" onClick={() => setAsking(true)}>
        {t('pairs.endNow')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('endGrace.title')}
        confirmLabel={t('endGrace.submit')}
        danger
        onConfirm={async () => {
          await revoke.mutateAsync(credential.id);
          say.good(t('endGrace.done'));
        }}
      >
        <Text>{t('endGrace.text')}</Text>
      </ConfirmDialog>
    </div>
  );
}
