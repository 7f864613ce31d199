import { TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';

type Props = {
  value: string;
  onChange: (value: string) => void;
  /** A recovery code instead of the six digits. */
  recovery?: boolean;
  error?: string | null;
  autoFocus?: boolean;
};

/** The second factor: six digits of the authenticator, or a recovery code. */
export function OtpField({ value, onChange, recovery, error, autoFocus }: Props) {
  const { t } = useTranslation('ui');
  return (
    <TextInput
      label={t(recovery ? 'recoveryCode' : 'otp')}
      description={t(recovery ? 'recoveryHint' : 'otpHint')}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      name={recovery ? 'recovery-code' : 'otp'}
      autoComplete={recovery ? 'off' : 'one-time-code'}
      inputMode={recovery ? 'text' : 'numeric'}
      autoCapitalize="none"
      spellCheck={false}
      required
      withAsterisk={false}
      error={error}
      data-autofocus={autoFocus || undefined}
      autoFocus={autoFocus}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
    />
  );
}
