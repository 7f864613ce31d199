import { Button, Radio, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useInvite } from '@/api/hooks/members';
import type { Language, Role } from '@/api/types';
import { LANGUAGES } from '@/i18n/languages';
import { useMember } from '@/session/member';
import { Buttons, clean, Dialog, ErrorNote, fieldError, useSay } from '@/ui';
import { looksLikeEmail } from '../../parts/email';
import { givenBy } from '../../parts/roles';

/** Asks whom, and what they may do; the gateway sends the link. */
export function InviteDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('members');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('inviteDialog.title')}>
      {opened && <Form onClose={onClose} />}
    </Dialog>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['members', 'ui']);
  const say = useSay();
  const { account } = useMember();
  const [email, setEmail] = useState('');
  const [bad, setBad] = useState(false);
  const [role, setRole] = useState<Role>('developer');
  const [language, setLanguage] = useState<Language>(account.language);
  const invite = useInvite();
  const submit = () => {
    if (!looksLikeEmail(email.trim())) return setBad(true);
    invite.mutate(
      { email: email.trim(), role, language },
      {
        onSuccess: (sent) => {
          onClose();
          const to = { email: clean(sent.email) };
          say.good(
            sent.sent === 'smtp' ? t('inviteDialog.sent', to) : t('inviteDialog.sentFile', to),
          );
        },
      },
    );
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="md">
        <TextInput
          label={t('inviteDialog.email')}
          type="email"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={email}
          onChange={(event) => {
            setEmail(event.currentTarget.value);
            setBad(false);
          }}
          error={bad ? t('inviteDialog.badEmail') : fieldError(invite.error, 'email')}
          maxLength={254}
          data-autofocus
        />
        <Radio.Group
          label={t('inviteDialog.role')}
          value={role}
          onChange={(next) => setRole(next as Role)}
        >
          <Stack gap="sm" mt="xs">
            {givenBy(account.role).map((one) => (
              <Radio
                key={one}
                value={one}
                label={t(`role.${one}`)}
                description={t(`roleText.${one}`)}
              />
            ))}
          </Stack>
        </Radio.Group>
        <Select
          label={t('inviteDialog.language')}
          data={LANGUAGES}
          value={language}
          onChange={(next) => setLanguage(next as Language)}
          comboboxProps={{ zIndex: 310 }}
        />
        <Text size="sm" c="dimmed">
          {t('inviteDialog.note')}
        </Text>
        <ErrorNote error={invite.error} fields={['email']} />
        <Buttons>
          <Button variant="default" onClick={onClose} disabled={invite.isPending}>
            {t('ui:cancel')}
          </Button>
          <Button type="submit" loading={invite.isPending}>
            {t('inviteDialog.submit')}
          </Button>
        </Buttons>
      </Stack>
    </form>
  );
}
