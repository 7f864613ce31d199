import { Button, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as Anchor, useLocation } from 'wouter';
import { isApiError } from '@/api/client';
import { useTakeLink } from '@/api/hooks/links';
import type { Link } from '@/api/types';
import { useLanguage } from '@/i18n';
import { FactorSwitch } from '@/session/FactorSwitch';
import { HiddenName } from '@/session/HiddenName';
import {
  clean,
  ErrorNote,
  fieldError,
  longEnough,
  OtpField,
  PasswordField,
  useWait,
  When,
} from '@/ui';
import { Door } from './Door';
import css from './Door.module.css';
import { Gone } from './LinkPage';
import { useLinkWords } from './linkWords';

type Props = { token: string; link: Link; onDone: () => void };

/** What a link asks for, by its kind and by whether the person has a password here already. */
export function LinkForm({ token, link, onDone }: Props) {
  const { t } = useTranslation(['start', 'ui']);
  const cache = useQueryClient();
  const language = useLanguage();
  const take = useTakeLink();
  const wait = useWait(take.error);
  const [, navigate] = useLocation();
  const words = useLinkWords(link);
  const [name, setName] = useState(clean(link.account_name ?? ''));
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [otp, setOtp] = useState('');
  const [recovery, setRecovery] = useState(false);
  const [tried, setTried] = useState(false);
  const [done, setDone] = useState(false);

  const asks = {
    name: link.kind === 'setup' || link.kind === 'signup',
    email: link.kind === 'setup',
    password: link.kind !== 'email',
    // A password reset is of one who is known, but the password asked for is the new one.
    fresh: link.kind === 'reset' || !link.known,
    otp:
      (link.kind !== 'email' && link.needs_otp) ||
      isApiError(take.error, 'otp_required') ||
      isApiError(take.error, 'otp_invalid'),
  };
  const submit = () => {
    if (take.isPending || wait > 0) return;
    setTried(true);
    if (asks.password && asks.fresh && !longEnough(password)) return;
    take.mutate(
      {
        token,
        language,
        ...(asks.name ? { account_name: name.trim() } : {}),
        ...(asks.email ? { email: email.trim() } : {}),
        ...(asks.password ? { password } : {}),
        ...(asks.otp ? { otp: otp.trim() } : {}),
      },
      {
        onSuccess: ({ signed_in }) => {
          onDone();
          // Another person, or the same one with new rights: nothing known before holds.
          cache.removeQueries();
          if (signed_in) navigate('/', { replace: true });
          else setDone(true);
        },
      },
    );
  };

  if (done) {
    return (
      <Door title={words.doneTitle} intro={words.done}>
        <Anchor href="/sign-in">{t('toSignIn')}</Anchor>
      </Door>
    );
  }
  if (isApiError(take.error, 'link_invalid')) return <Gone />;

  let who: ReactNode = null;
  if (asks.email) {
    who = (
      <TextInput
        label={t('ui:email')}
        description={t('link.emailHint')}
        type="email"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        withAsterisk={false}
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
        error={fieldError(take.error, 'email')}
      />
    );
  } else if (link.email) {
    who = <HiddenName email={link.email} />;
  }

  return (
    <Door title={words.title} intro={words.intro}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="md">
          {asks.name && (
            <TextInput
              label={t('link.businessName')}
              description={t('link.businessHint')}
              name="organization"
              autoComplete="organization"
              required
              withAsterisk={false}
              maxLength={200}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={fieldError(take.error, 'account_name')}
            />
          )}
          {who}
          {asks.password && (
            <PasswordField
              label={words.password}
              fresh={asks.fresh}
              tried={tried}
              value={password}
              onChange={setPassword}
              error={fieldError(take.error, 'password')}
            />
          )}
          {asks.otp && (
            <div>
              <OtpField value={otp} onChange={setOtp} recovery={recovery} />
              <FactorSwitch recovery={recovery} onChange={setRecovery} />
            </div>
          )}
          <ErrorNote error={take.error} fields={FIELDS} />
          <Button
            type="submit"
            size="md"
            fullWidth
            loading={take.isPending}
            disabled={wait > 0}
          >
            {words.submit}
          </Button>
        </Stack>
      </form>
      <p className={css.small}>
        {t('link.expires')} <When at={link.expires_at} />
      </p>
    </Door>
  );
}

/** What has a field of its own to show an error at. */
const FIELDS = ['account_name', 'email', 'password'];
