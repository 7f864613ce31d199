import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMakeCredential, type Fresh } from '@/api/hooks/credentials';
import { Buttons, Dialog, ErrorNote, fieldError } from '@/ui';

type Props = { onClose: () => void; onMade: (made: Fresh) => void };

export function NewPair({ opened, ...rest }: Props & { opened: boolean }) {
  const { t } = useTranslation('security');
  return (
    <Dialog opened={opened} onClose={rest.onClose} title={t('newPair.title')}>
      {opened && <Form {...rest} />}
    </Dialog>
  );
}

function Form({ onClose, onMade }: Props) {
  const { t } = useTranslation(['security', 'ui']);
  const [label, setLabel] = useState('');
  const [missing, setMissing] = useState(false);
  const make = useMakeCredential();
  const usual = [t('newPair.production'), t('newPair.staging'), t('newPair.development')];
  const name = (next: string) => {
    setLabel(next);
    setMissing(false);
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!label.trim()) return setMissing(true);
        make.mutate(
          { kind: 'client', label: label.trim() },
          {
            onSuccess: (made) => {
              onClose();
              onMade(made);
            },
          },
        );
      }}
    >
      <Stack gap="md">
        <TextInput
          label={t('newPair.label')}
          description={t('newPair.hint')}
          value={label}
          onChange={(event) => name(event.currentTarget.value)}
          error={missing ? t('newPair.required') : fieldError(make.error, 'label')}
          maxLength={100}
          autoComplete="off"
          data-autofocus
        />
        <Group gap="xs">
          {usual.map((one) => (
            <Button key={one} variant="default" size="compact-sm" onClick={() => name(one)}>
              {one}
            </Button>
          ))}
        </Group>
        <ErrorNote error={make.error} fields={['label']} />
        <Buttons>
          <Button variant="default" onClick={onClose} disabled={make.isPending}>
            {t('ui:cancel')}
          </Button>
          <Button type="submit" loading={make.isPending}>
            {t('newPair.submit')}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
