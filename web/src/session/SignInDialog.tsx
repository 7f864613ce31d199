import { Anchor, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Me } from '@/api/types';
import { Dialog } from '@/ui';
import { SignInForm } from './SignInForm';

/** The session has ended while a page was open: the same person signs in over it. */
export function SignInDialog({
  me,
  opened,
  onDone,
  onLeave,
}: {
  me: Me;
  opened: boolean;
  onDone: () => void;
  onLeave: () => void;
}) {
  const { t } = useTranslation('session');
  return (
    <Dialog opened={opened} onClose={onLeave} title={t('again.title')} size="sm" stubborn above>
      {opened && (
        <Stack gap="md">
          <Text c="dimmed">{t('again.intro')}</Text>
          <SignInForm as={{ email: me.user.email, account: me.account.id }} onDone={onDone} />
          <Anchor component="button" type="button" size="sm" ta="center" onClick={onLeave}>
            {t('again.other')}
          </Anchor>
        </Stack>
      )}
    </Dialog>
  );
}
