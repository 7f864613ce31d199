import { PasswordInput } from '@mantine/core';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import css from './PasswordField.module.css';

export const PASSWORD_LEAST = 15;

type Props = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** A password that is being chosen: it is counted, and the rule stands below. */
  fresh?: boolean;
  error?: string | null;
  autoFocus?: boolean;
  /** A form was sent: say so if the chosen password is too short. */
  tried?: boolean;
  disabled?: boolean;
};

/** A password, to be typed or pasted, shown on demand. */
export function PasswordField({ label, value, onChange, fresh, error, autoFocus, tried, disabled }: Props) {
  const { t } = useTranslation('ui');
  const id = useId();
  const count = `${id}-count`;
  // As the gateway counts: characters, not bytes, after compatibility normalisation.
  const length = [...value.normalize('NFKC')].length;
  const short =
    fresh && tried && length < PASSWORD_LEAST ? t('passwordShort', { count: PASSWORD_LEAST }) : null;
  const wrong = error ?? short;
  // Mantine joins these by itself only where nothing is added, and does not say that it is wrong.
  const described = [wrong && `${id}-error`, fresh && `${id}-description`, fresh && count];
  return (
    <div>
      <PasswordInput
        id={id}
        label={label}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        name={fresh ? 'new-password' : 'password'}
        autoComplete={fresh ? 'new-password' : 'current-password'}
        autoCapitalize="none"
        spellCheck={false}
        description={fresh ? t('passwordHint', { count: PASSWORD_LEAST }) : undefined}
        error={wrong}
        aria-invalid={Boolean(wrong)}
        required
        withAsterisk={false}
        disabled={disabled}
        data-autofocus={autoFocus || undefined}
        autoFocus={autoFocus}
        aria-describedby={described.filter(Boolean).join(' ') || undefined}
        visibilityToggleButtonProps={{ 'aria-label': t('showPassword'), tabIndex: 0 }}
      />
      {fresh && (
        <div className={css.count} id={count} data-enough={length >= PASSWORD_LEAST || undefined}>
          {t('characters', { count: length })}
        </div>
      )}
    </div>
  );
}

/** Whether the button that sends a new password should work. The gateway has the last word. */
export const longEnough = (password: string) =>
  [...password.normalize('NFKC')].length >= PASSWORD_LEAST;
