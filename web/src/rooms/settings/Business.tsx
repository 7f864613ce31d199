import { Button, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChangeAccount } from '@/api/hooks/account';
import type { Language } from '@/api/types';
import { LANGUAGES } from '@/i18n/languages';
import { useMay, useMember } from '@/session/member';
import { CopyButton, ErrorNote, fieldError, Panel, useSay, UserText } from '@/ui';
import { Facts, Mono } from '../parts/Facts';
import row from '../parts/Row.module.css';

/** How the account is called, to be changed by those who may. */
export function Business() {
  const { t } = useTranslation('settings');
  const { account } = useMember();
  const mayChange = useMay('admin');
  const id = {
    label: t('account.id'),
    value: <Mono>{account.id}</Mono>,
    copy: <CopyButton value={account.id} what={t('account.id')} />,
  };
  if (!mayChange) {
    const name = { label: t('account.name'), value: <UserText>{account.name}</UserText> };
    return (
      <Panel title={t('account.title')} intro={t('account.role')}>
        <Facts facts={[name, id]} />
      </Panel>
    );
  }
  return (
    <Panel title={t('account.title')} intro={t('account.text')}>
      <Stack gap="lg">
        <Form key={account.id} />
        <Facts facts={[id]} />
      </Stack>
    </Panel>
  );
}

function Form() {
  const { t } = useTranslation('settings');
  const say = useSay();
  const { account } = useMember();
  const [name, setName] = useState(account.name);
  const [language, setLanguage] = useState<Language>(account.language);
  const [empty, setEmpty] = useState(false);
  const change = useChangeAccount();
  const same = name.trim() === account.name && language === account.language;
  return (
    <form
      className={row.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!name.trim()) return setEmpty(true);
        change.mutate(
          { name: name.trim(), language },
          { onSuccess: () => say.good(t('account.done')) },
        );
      }}
    >
      <TextInput
        label={t('account.name')}
        description={t('account.nameHint')}
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value);
          setEmpty(false);
        }}
        error={empty ? t('account.empty') : fieldError(change.error, 'name')}
        maxLength={255}
        autoComplete="organization"
      />
      <Select
        label={t('account.language')}
        description={t('account.languageHint')}
        data={LANGUAGES}
        value={language}
        onChange={(next) => setLanguage(next as Language)}
      />
      <ErrorNote error={change.error} fields={['name']} />
      <Button type="submit" loading={change.isPending} disabled={same}>
        {t('account.submit')}
      </Button>
    </form>
  );
}
