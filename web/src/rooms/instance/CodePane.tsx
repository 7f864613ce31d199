import { Button, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { usePairCode } from '@/api/hooks/instances';
import type { Instance } from '@/api/types';
import { useLanguage } from '@/i18n';
import { clock, CopyButton, ErrorNote, fieldError, useNow } from '@/ui';
import { country, digits, phoneFault, shown } from '../instances/phone';
import css from './Instance.module.css';
import { SandboxHint } from './SandboxHint';
import { Steps } from './Steps';

type Given = { code: string; until: number | null };

/** A code to type on the phone, for whoever cannot point its camera at this screen. */
export function CodePane({ instance }: { instance: Instance }) {
  const [phone, setPhone] = useState('');
  const [given, setGiven] = useState<Given | null>(null);
  const ask = usePairCode(instance.id);
  const get = () =>
    // As it was typed: the gateway names a character that is no part of a number.
    ask.mutate(phone, {
      onSuccess: ({ code, expires_in }) =>
        // Not every gateway says how long a code holds.
        setGiven({ code, until: expires_in ? Date.now() + expires_in * 1000 : null }),
    });

  return (
    <div className={css.pair}>
      <div className={css.code}>
        {given ? (
          <Code
            given={given}
            phone={phone}
            pending={ask.isPending}
            onAgain={get}
            onOther={() => setGiven(null)}
          />
        ) : (
          <Ask
            phone={phone}
            onPhone={setPhone}
            fault={fieldError(ask.error, 'phone')}
            pending={ask.isPending}
            onAsk={get}
          />
        )}
        <ErrorNote error={ask.error} fields={given ? [] : ['phone']} />
      </div>
      <div>
        <Steps by="code" />
        <SandboxHint by="code" phone={digits(phone)} code={given?.code} />
      </div>
    </div>
  );
}

function Ask({
  phone,
  onPhone,
  fault,
  pending,
  onAsk,
}: {
  phone: string;
  onPhone: (phone: string) => void;
  fault: string | null;
  pending: boolean;
  onAsk: () => void;
}) {
  const { t } = useTranslation('instances');
  const language = useLanguage();
  const [tried, setTried] = useState(false);
  const own = phoneFault(phone);
  const land = country(phone, language);
  const words = { zero: t('pair.phoneZero'), short: t('pair.phoneShort') };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (!own) onAsk();
      }}
    >
      <Stack gap="md">
        <TextInput
          label={t('pair.phone')}
          description={
            land ? t('pair.country', { country: land.name, code: land.code }) : t('pair.phoneHint')
          }
          type="tel"
          inputMode="tel"
          autoComplete="off"
          placeholder="+55 11 99999-0001"
          value={phone}
          onChange={(event) => {
            onPhone(event.currentTarget.value);
            setTried(false);
          }}
          error={tried && own ? words[own] : fault}
          maxLength={32}
        />
        <Button type="submit" loading={pending}>
          {t('pair.getCode')}
        </Button>
      </Stack>
    </form>
  );
}

function Code({
  given,
  phone,
  pending,
  onAgain,
  onOther,
}: {
  given: Given;
  phone: string;
  pending: boolean;
  onAgain: () => void;
  onOther: () => void;
}) {
  const { t } = useTranslation('instances');
  const now = useNow(500).getTime();
  const left = given.until === null ? null : Math.ceil((given.until - now) / 1000);
  const over = left !== null && left <= 0;
  return (
    <>
      <div
        className={css.letters}
        data-over={over || undefined}
        role="group"
        aria-label={t('pair.codeLabel')}
      >
        <code translate="no">{given.code}</code>
        {!over && <CopyButton value={given.code} what={t('pair.codeLabel')} />}
      </div>
      <p className={css.left}>
        {t('pair.codeFor', { phone: shown(phone) })}
        <br />
        {over && t('pair.codeOver')}
        {!over && left !== null && t('pair.validFor', { time: clock(left) })}
      </p>
      {(over || left === null) && (
        <Button variant={over ? 'filled' : 'default'} onClick={onAgain} loading={pending}>
          {t('pair.newCode')}
        </Button>
      )}
      <Button variant="subtle" onClick={onOther} disabled={pending}>
        {t('pair.otherNumber')}
      </Button>
    </>
  );
}
