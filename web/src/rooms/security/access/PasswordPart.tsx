import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChangeEmail, useChangePassword } from '@/api/hooks/account';
import { HiddenName } from '@/session/HiddenName';
import { useMember } from '@/session/member';
import { ErrorNote, fieldError, longEnough, Note, Panel, PasswordField, useSay } from '@/ui';
import { useMailIsFile } from '../../parts/gateway';
import row from '../../parts/Row.module.css';
import { looksLikeEmail } from '../../parts/email';

/** Password and e-mail: what one signs in with. The one of now is asked for by the proof. */
export function PasswordPart() {
  return (
    <>
      <PasswordPanel />
      <EmailPanel />
    </>
  );
}

function PasswordPanel() {
  const { t } = useTranslation('security');
  const say = useSay();
  const { user } = useMember();
  const [password, setPassword] = useState('');
  const [short, setShort] = useState(false);
  const change = useChangePassword();
  return (
    <Panel title={t('password.title')} intro={t('password.ends')}>
      <form
        className={row.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!longEnough(password)) return setShort(true);
          change.mutate(password, {
            onSuccess: () => {
              setPassword('');
              say.good(t('password.done'));
            },
          });
        }}
      >
        <HiddenName email={user.email} />
        <PasswordField
          label={t('password.new')}
          fresh
          value={password}
          onChange={(next) => {
            setPassword(next);
            setShort(false);
          }}
          error={short ? t('password.short') : fieldError(change.error, 'password')}
        />
        <ErrorNote error={change.error} fields={['password']} />
        <Button type="submit" loading={change.isPending}>
          {t('password.submit')}
        </Button>
      </form>
    </Panel>
  );
}

function EmailPanel() {
  const { t } = useTranslation('security');
  const { user } = useMember();
  const file = useMailIsFile();
  const [email, setEmail] = useState('');
  const [fault, setFault] = useState<'bad' | 'same' | null>(null);
  const [sent, setSent] = useState<string | null>(null);
  const change = useChangeEmail();
  const words = { bad: t('email.bad'), same: t('email.same') };
  const submit = () => {
    const next = email.trim();
    if (!looksLikeEmail(next)) return setFault('bad');
    if (next.toLowerCase() === user.email.toLowerCase()) return setFault('same');
    setSent(null);
    change.mutate(next, {
      onSuccess: () => {
        setSent(next);
        setEmail('');
      },
    });
  };
  return (
    <Panel title={t('email.title')} intro={t('email.text')}>
      <form
        className={row.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextInput
          label={t('email.new')}
          description={t('email.now', { email: user.email })}
          type="email"
          autoComplete="email"
          autoCapitalize="none"
          spellCheck={false}
          value={email}
          onChange={(event) => {
            setEmail(event.currentTarget.value);
            setFault(null);
          }}
          error={fault ? words[fault] : fieldError(change.error, 'email')}
          maxLength={254}
        />
        <ErrorNote error={change.error} fields={['email']} />
        {sent && (
          <Note tone="good" role="status">
            <p>{t('email.sent', { email: sent })}</p>
            {file && <p>{t('email.sentFile')}</p>}
          </Note>
        )}
        <Button type="submit" loading={change.isPending}>
          {t('email.submit')}
        </Button>
      </form>
    </Panel>
  );
}
