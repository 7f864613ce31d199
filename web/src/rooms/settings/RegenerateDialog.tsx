import { Button, Stack } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRotateCredential, type Fresh } from '@/api/hooks/credentials';
import { Buttons, Dialog, ErrorNote, Note } from '@/ui';
import { Lines } from '../parts/Advice';
import { Grace } from '../parts/Grace';

type Props = { id: string; onClose: () => void; onMade: (made: Fresh) => void };

/** Says what will break before the token is replaced. */
export function RegenerateDialog({ opened, ...rest }: Props & { opened: boolean }) {
  const { t } = useTranslation('settings');
  return (
    <Dialog opened={opened} onClose={rest.onClose} title={t('regenerate.title')}>
      {opened && <Form {...rest} />}
    </Dialog>
  );
}

const DAY = 86_400;

function Form({ id, onClose, onMade }: Props) {
  const { t } = useTranslation(['settings', 'ui']);
  const [seconds, setSeconds] = useState<number | null>(0);
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
        <Note tone="warn" title={t('regenerate.breaks')}>
          <Lines lines={[t('regenerate.agents'), t('regenerate.scripts'), t('regenerate.where')]} />
        </Note>
        <Grace
          label={t('regenerate.grace')}
          choices={[
            { seconds: 0, label: t('regenerate.now'), hint: t('regenerate.nowHint') },
            { seconds: 3600, label: t('regenerate.hour') },
            { seconds: DAY, label: t('regenerate.day') },
            { seconds: 7 * DAY, label: t('regenerate.week') },
          ]}
          value={seconds}
          onChange={setSeconds}
        />
        <ErrorNote error={rotate.error} />
        <Buttons>
          <Button variant="default" onClick={onClose} disabled={rotate.isPending}>
            {t('ui:cancel')}
          </Button>
          <Button
            type="submit"
            color={seconds === 0 ? 'clay' : undefined}
            loading={rotate.isPending}
          >
            {t('regenerate.submit')}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
