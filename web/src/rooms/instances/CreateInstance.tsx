import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { useCreateInstance } from '@/api/hooks/instances';
import { Buttons, Dialog, ErrorNote, fieldError, useSay } from '@/ui';

const LEAST = 3;

/** Asks for a name, makes the instance and goes to its page, where a phone is linked. */
export function CreateInstance({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('instances');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('create.title')}>
      {opened && <Form onClose={onClose} />}
    </Dialog>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['instances', 'ui']);
  const say = useSay();
  const [, go] = useLocation();
  const [name, setName] = useState('');
  const [short, setShort] = useState(false);
  const create = useCreateInstance();

  const submit = () => {
    if ([...name.trim()].length < LEAST) return setShort(true);
    create.mutate(name.trim(), {
      onSuccess: (made) => {
        say.good(t('create.done'));
        // Whoever makes one wants to link a phone to it: its page begins with that.
        go(`/instances/${encodeURIComponent(made.id)}`, { state: { pair: true } });
      },
    });
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
        <Text>{t('create.intro')}</Text>
        <TextInput
          label={t('create.name')}
          description={t('create.hint')}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
            setShort(false);
          }}
          error={short ? t('create.tooShort') : fieldError(create.error, 'name')}
          maxLength={255}
          autoComplete="off"
          data-autofocus
        />
        <ErrorNote error={create.error} fields={['name']} />
        <Buttons>
          <Button variant="default" onClick={onClose} disabled={create.isPending}>
            {t('ui:cancel')}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {t('create.submit')}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
