import { Button, Text } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useDisconnect, useReconnect } from '@/api/hooks/instances';
import type { Instance } from '@/api/types';
import { useMay } from '@/session/member';
import { ConfirmDialog, ErrorNote, Panel, useSay, UserText, When } from '@/ui';
import { shown } from '../instances/phone';
import { Facts } from '../parts/Facts';

/** The phone that is linked, and closing the connection. */
export function ConnectedPanel({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const say = useSay();
  const mayUse = useMay('developer');
  const [asking, setAsking] = useState(false);
  const disconnect = useDisconnect(instance.id);
  const { phone, push_name, connected_at, state } = instance;
  return (
    <Panel
      title={t('connected.title')}
      actions={
        mayUse &&
        state !== 'disconnected' && (
          <Button variant="default" onClick={() => setAsking(true)}>
            {t('connected.disconnect')}
          </Button>
        )
      }
    >
      <Facts
        facts={[
          {
            label: t('connected.number'),
            value: phone ? shown(phone) : t('connected.unknown'),
          },
          {
            label: t('connected.name'),
            value: push_name ? <UserText>{push_name}</UserText> : t('connected.unknown'),
          },
          ...(connected_at && state === 'connected'
            ? [{ label: t('connected.since'), value: <When at={connected_at} /> }]
            : []),
        ]}
      />
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('disconnect.title')}
        confirmLabel={t('disconnect.submit')}
        onConfirm={async () => {
          await disconnect.mutateAsync();
          say.good(t('disconnect.done'));
        }}
      >
        <Text>{t('disconnect.text')}</Text>
      </ConfirmDialog>
    </Panel>
  );
}

/** Disconnected with the link kept: one button away. */
export function KeptPanel({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const say = useSay();
  const reconnect = useReconnect(instance.id);
  return (
    <Panel
      title={t('reconnect.title')}
      intro={t('reconnect.text')}
      actions={
        <Button
          leftSection={<IconPlugConnected size={18} />}
          loading={reconnect.isPending}
          onClick={() =>
            reconnect.mutate(undefined, { onSuccess: () => say.good(t('reconnect.done')) })
          }
        >
          {t('reconnect.button')}
        </Button>
      }
    >
      {reconnect.error && <ErrorNote error={reconnect.error} />}
    </Panel>
  );
}
