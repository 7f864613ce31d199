import { Button, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRotateCredential, type Fresh } from '@/api/hooks/credentials';
import { Buttons, Dialog, ErrorNote } from '@/ui';
import { Grace } from '../../parts/Grace';

type Props = {
  /** The credential to replace: of a secret its own id, of a pair its client token's. */
  id: string;
  what: 'secret' | 'pair';
  label: string;
  onClose: () => void;
  onMade: (made: Fresh) => void;
};

const DAY = 86_400;

export function RotateDialog({ opened, ...rest }: Props & { opened: boolean }) {
  const { t } = useTranslation('security');
  const { label } = rest;
  return (
    <Dialog
      opened={opened}
      onClose={rest.onClose}
      title={rest.what === 'pair' ? t('rotate.titlePair', { label }) : t('rotate.title', { label })}
    >
      {opened && <Form {...rest} />}
    </Dialog>
  );
}

function Form({ id, what, onClose, onMade }: Props) {
  const { t } = useTranslation(['security', 'ui']);
  const [seconds, setSeconds] = useState<number | null>(DAY);
  const rotate = useRotateCredential();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (seconds === null) return;
        rotate.mutate(
          { id, grace_seconds: seconds },
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
        <Text>{what === 'pair' ? t('rotate.textPair') : t('rotate.text')}</Text>
        <Grace
          label={t('rotate.grace')}
          choices={[
            { seconds: DAY, label: t('rotate.day'), hint: t('rotate.graceHint') },
            { seconds: 7 * DAY, label: t('rotate.week') },
            { seconds: 3600, label: t('rotate.hour') },
            { seconds: 0, label: t('rotate.now'), hint: t('rotate.nowHint') },
          ]}
          custom={{
            label: t('rotate.custom'),
            hours: t('rotate.customHours'),
            hint: t('rotate.customHint'),
          }}
          value={seconds}
          onChange={setSeconds}
        />
        <ErrorNote error={rotate.error} />
        <Buttons>
          <Button variant="default" onClick={onClose} disabled={rotate.isPending}>
            {t('ui:cancel')}
          </Button>
          <Button type="submit" loading={rotate.isPending} disabled={seconds === null}>
            {t('rotate.submit')}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
