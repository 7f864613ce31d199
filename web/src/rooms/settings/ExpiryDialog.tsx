import { Button, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChangeCredential } from '@/api/hooks/credentials';
import type { Credential } from '@/api/types';
import { Buttons, Dialog, ErrorNote, fieldError, useSay } from '@/ui';
import { dayOf, endOf } from './day';

type Props = { credential: Credential; onClose: () => void };

export function ExpiryDialog({ opened, ...rest }: Props & { opened: boolean }) {
  const { t } = useTranslation('settings');
  return (
    <Dialog opened={opened} onClose={rest.onClose} title={t('expiryDialog.title')}>
      {opened && <Form {...rest} />}
    </Dialog>
  );
}

function Form({ credential, onClose }: Props) {
  const { t } = useTranslation(['settings', 'ui']);
  const say = useSay();
  const [ends, setEnds] = useState(credential.expires_at !== null);
  const [day, setDay] = useState(
    credential.expires_at ? dayOf(new Date(credential.expires_at)) : '',
  );
  const [past, setPast] = useState(false);
  const change = useChangeCredential();
  const submit = () => {
    const end = ends ? endOf(day, new Date()) : null;
    if (ends && !end) return setPast(true);
    change.mutate(
      { id: credential.id, expires_at: end?.toISOString() ?? null },
      {
        onSuccess: () => {
          onClose();
          say.good(t('expiryDialog.done'));
        },
      },
    );
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="md">
        <Text>{t('expiryDialog.text')}</Text>
        <Radio.Group
          aria-label={t('expiryDialog.title')}
          value={ends ? 'on' : 'never'}
          onChange={(next) => setEnds(next === 'on')}
        >
          <Stack gap="sm">
            <Radio value="never" label={t('expiryDialog.never')} />
            <Radio value="on" label={t('expiryDialog.on')} />
          </Stack>
        </Radio.Group>
        {ends && (
          <TextInput
            label={t('expiryDialog.date')}
            type="date"
            value={day}
            min={dayOf(new Date())}
            onChange={(event) => {
              setDay(event.currentTarget.value);
              setPast(false);
            }}
            error={past ? t('expiryDialog.past') : fieldError(change.error, 'expires_at')}
            maw={240}
          />
        )}
        <ErrorNote error={change.error} fields={ends ? ['expires_at'] : []} />
        <Buttons>
          <Button variant="default" onClick={onClose} disabled={change.isPending}>
            {t('ui:cancel')}
          </Button>
          <Button type="submit" loading={change.isPending}>
            {t('expiryDialog.submit')}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
