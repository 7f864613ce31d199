import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { useDeleteInstance } from '@/api/hooks/instances';
import type { Instance } from '@/api/types';
import { useMay } from '@/session/member';
import { clean, ConfirmDialog, Panel, useSay } from '@/ui';
import { Lines } from '../parts/Advice';

/** The end of an instance, behind its name. */
export function DeletePanel({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const say = useSay();
  const [, go] = useLocation();
  const mayDelete = useMay('admin');
  const mayUse = useMay('developer');
  const [asking, setAsking] = useState(false);
  const remove = useDeleteInstance(instance.id);
  const name = clean(instance.name);
  // Who may do nothing with it needs no word about its end.
  if (!mayUse) return null;
  return (
    <>
      <Panel
        title={t('delete.title')}
        intro={mayDelete ? t('delete.text') : t('delete.role')}
        tone={mayDelete ? 'bad' : 'quiet'}
        actions={
          mayDelete && (
            <Button color="clay" variant="outline" onClick={() => setAsking(true)}>
              {t('delete.button')}
            </Button>
          )
        }
      />
      <ConfirmDialog
        opened={asking}
        danger
        typed={instance.name}
        onClose={() => setAsking(false)}
        title={t('delete.question', { name })}
        confirmLabel={t('delete.submit')}
        onConfirm={async () => {
          await remove.mutateAsync();
          say.good(t('delete.done', { name }));
          go('/instances');
        }}
      >
        <Lines
          lines={[t('delete.breaksPhone'), t('delete.breaksTokens'), t('delete.breaksQueue')]}
        />
      </ConfirmDialog>
    </>
  );
}
