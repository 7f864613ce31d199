import { Button, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/client';
import { useConfirm } from '@/api/hooks/session';
import type { Me } from '@/api/types';
import { Buttons, Dialog, ErrorNote, OtpField, PasswordField, useWait } from '@/ui';
import { FactorSwitch } from './FactorSwitch';
import { HiddenName } from './HiddenName';

/** Asks for the password before something that could do harm in a stranger's hands. */
export function ProofDialog(props: { me: Me; opened: boolean; onAnswer: (done: boolean) => void }) {
  const { t } = useTranslation('session');
  return (
    <Dialog
      opened={props.opened}
      onClose={() => props.onAnswer(false)}
      title={t('proof.title')}
      size="sm"
      above
    >
      {props.opened && <Form {...props} />}
    </Dialog>
  );
}

function Form({ me, onAnswer }: { me: Me; onAnswer: (done: boolean) => void }) {
  const { t } = useTranslation(['session', 'ui']);
  const confirm = useConfirm();
  const wait = useWait(confirm.error);
  const [password, setPassword] = useState('');
  const [otp, setOtp] = useState('');
  const [recovery, setRecovery] = useState(false);
  // The factor may have been turned on elsewhere since the page asked who is signed in.
  const factor = me.user.second_factor || isApiError(confirm.error, 'otp_required');

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (confirm.isPending || wait > 0) return;
        confirm.mutate(
          { password, ...(factor && otp ? { otp: otp.trim() } : {}) },
          { onSuccess: () => onAnswer(true) },
        );
      }}
    >
      <Stack gap="md">
        <Text c="dimmed">{t('proof.intro')}</Text>
        <HiddenName email={me.user.email} />
        <PasswordField
          label={t('ui:password')}
          value={password}
          onChange={setPassword}
          autoFocus
        />
        {factor && (
          <div>
            <OtpField value={otp} onChange={setOtp} recovery={recovery} />
            <FactorSwitch recovery={recovery} onChange={setRecovery} />
          </div>
        )}
        <ErrorNote error={isApiError(confirm.error, 'otp_required') && !otp ? null : confirm.error} />
        <Buttons>
          <Button variant="default" onClick={() => onAnswer(false)}>
            {t('ui:cancel')}
          </Button>
          <Button type="submit" loading={confirm.isPending} disabled={wait > 0}>
            {t('proof.submit')}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
