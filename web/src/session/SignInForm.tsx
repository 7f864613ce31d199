import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/client';
import { useSignIn } from '@/api/hooks/session';
import { ErrorNote, OtpField, PasswordField, UserText, useWait } from '@/ui';
import { FactorSwitch } from './FactorSwitch';
import { HiddenName } from './HiddenName';
import { useHumanCheck } from './HumanCheck';

type Props = {
  /** Only this person, in this account. */
  as?: { email: string; account: string };
  onDone: () => void;
};

/** E-mail and password; then, where it is on, the second factor. */
export function SignInForm({ as, onDone }: Props) {
  const { t } = useTranslation(['session', 'ui']);
  const signIn = useSignIn();
  const human = useHumanCheck('login');
  const wait = useWait(signIn.error);
  const [email, setEmail] = useState(as?.email ?? '');
  const [password, setPassword] = useState('');
  const [factor, setFactor] = useState(false);
  const [otp, setOtp] = useState('');
  const [recovery, setRecovery] = useState(false);

  const asked = isApiError(signIn.error, 'otp_required');
  const submit = () => {
    if (signIn.isPending || wait > 0 || !human.ready) return;
    signIn.mutate(
      {
        email: email.trim(),
        password,
        ...(factor ? { otp: otp.trim() } : {}),
        ...(as ? { account: as.account } : {}),
        ...human.field(),
      },
      {
        onSuccess: onDone,
        onError: (error) => {
          human.again();
          if (isApiError(error, 'otp_required') || isApiError(error, 'otp_invalid')) setFactor(true);
          // The password was changed meanwhile, or was wrong all along: from the start.
          else if (isApiError(error, 'login_failed')) setFactor(false);
        },
      },
    );
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="md">
        {as || factor ? (
          <>
            <Text>
              {t('signingInAs')} <UserText>{email}</UserText>
            </Text>
            <HiddenName email={email} />
          </>
        ) : (
          <TextInput
            label={t('ui:email')}
            type="email"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            withAsterisk={false}
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
        )}
        {factor ? (
          <div>
            <OtpField
              key={String(recovery)}
              value={otp}
              onChange={setOtp}
              recovery={recovery}
              autoFocus
            />
            <FactorSwitch
              recovery={recovery}
              onChange={(next) => {
                setRecovery(next);
                setOtp('');
              }}
            />
          </div>
        ) : (
          <PasswordField
            label={t('ui:password')}
            value={password}
            onChange={setPassword}
            autoFocus={as !== undefined}
          />
        )}
        {human.widget}
        <ErrorNote error={asked ? null : signIn.error} />
        <Button
          type="submit"
          size="md"
          fullWidth
          loading={signIn.isPending}
          disabled={wait > 0 || !human.ready}
        >
          {t(factor ? 'verify' : 'signIn')}
        </Button>
        {factor && !as && (
          <Button
            variant="subtle"
            onClick={() => {
              setFactor(false);
              setOtp('');
              signIn.reset();
            }}
          >
            {t('startOver')}
          </Button>
        )}
      </Stack>
    </form>
  );
}
