import { Button, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useHumanCheck } from '@/session/HumanCheck';
import { ErrorNote, fieldError, useWait } from '@/ui';

type Props = {
  action: 'signup' | 'reset';
  submit: string;
  /** Asks for the letter; the answer says nothing about whether the e-mail is known. */
  send: (email: string, human: { turnstile_token?: string }) => Promise<unknown>;
  onSent: (email: string) => void;
};

/** An e-mail address to which a letter with a link is sent. */
export function LetterForm({ action, submit, send, onSent }: Props) {
  const { t } = useTranslation('ui');
  const human = useHumanCheck(action);
  const [email, setEmail] = useState('');
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const wait = useWait(error);

  const ask = async () => {
    if (pending || wait > 0 || !human.ready) return;
    setPending(true);
    setError(null);
    try {
      await send(email.trim(), human.field());
      onSent(email.trim());
    } catch (failure) {
      human.again();
      setError(failure);
      setPending(false);
    }
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      <Stack gap="md">
        <TextInput
          label={t('email')}
          type="email"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          withAsterisk={false}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={fieldError(error, 'email')}
        />
        {human.widget}
        <ErrorNote error={error} fields={['email']} />
        <Button
          type="submit"
          size="md"
          fullWidth
          loading={pending}
          disabled={wait > 0 || !human.ready}
        >
          {submit}
        </Button>
      </Stack>
    </form>
  );
}
