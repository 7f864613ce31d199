import { Button, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChangeCredential, useRevokeCredential } from '@/api/hooks/credentials';
import type { Credential } from '@/api/types';
import { Buttons, ConfirmDialog, Dialog, ErrorNote, fieldError, useSay } from '@/ui';
import { Lines } from '../../parts/Advice';

type Props = { opened: boolean; token: Credential; onClose: () => void };

export function RevokeDialog({ opened, token, label, onClose }: Props & { label: string }) {
  const { t } = useTranslation('security');
  const say = useSay();
  const revoke = useRevokeCredential();
  return (
    <ConfirmDialog
      opened={opened}
      onClose={onClose}
      title={t('revoke.title', { label })}
      confirmLabel={t('revoke.submit')}
      danger
      onConfirm={async () => {
        await revoke.mutateAsync(token.id);
        say.good(t('revoke.done'));
      }}
    >
      <Lines
        lines={[t('revoke.server'), t('revoke.jwts'), t('revoke.instance'), t('revoke.final')]}
      />
    </ConfirmDialog>
  );
}

export function RenameDialog({ opened, token, onClose }: Props) {
  const { t } = useTranslation('security');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('rename.title')} size="sm">
      {opened && <Rename token={token} onClose={onClose} />}
    </Dialog>
  );
}

function Rename({ token, onClose }: Omit<Props, 'opened'>) {
  const { t } = useTranslation(['security', 'ui']);
  const say = useSay();
  const [label, setLabel] = useState(token.label ?? '');
  const change = useChangeCredential();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(
          { id: token.id, label: label.trim() || null },
          {
            onSuccess: () => {
              onClose();
              say.good(t('rename.done'));
            },
          },
        );
      }}
    >
      <Stack gap="md">
        <TextInput
          label={t('newPair.label')}
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
          error={fieldError(change.error, 'label')}
          maxLength={100}
          autoComplete="off"
          data-autofocus
        />
        <ErrorNote error={change.error} fields={['label']} />
        <Buttons>
          <Button variant="default" onClick={onClose} disabled={change.isPending}>
            {t('ui:cancel')}
          </Button>
          <Button type="submit" loading={change.isPending}>
            {t('rename.submit')}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
