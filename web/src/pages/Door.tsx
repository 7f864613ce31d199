import {
  ActionIcon,
  NativeSelect,
  Title,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { IconMoon, IconSun } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Language } from '@/api/types';
import { speak, useLanguage } from '@/i18n';
import { LANGUAGES } from '@/i18n/languages';
import { Footer } from '@/shell/Footer';
import { SandboxNote } from '@/shell/SandboxNote';
import { Wordmark } from '@/shell/Wordmark';
import { useArrival, useTitle } from '@/ui';
import { Art } from './Art';
import css from './Door.module.css';

/** The frame of the pages before signing in: what this is on one side, the form on the other. */
export function Door({
  title,
  intro,
  children,
}: {
  title: string;
  intro?: ReactNode;
  children?: ReactNode;
}) {
  const { t } = useTranslation('start');
  const heading = useArrival();
  useTitle(title);
  return (
    <div className={css.door}>
      <aside className={css.side} aria-label={t('about')}>
        <div className={css.brand}>
          <Wordmark size={30} />
        </div>
        <Art />
        <p className={css.line}>{t('tagline')}</p>
      </aside>
      <div className={css.main}>
        <SandboxNote />
        <header className={css.own}>
          <Choices />
        </header>
        <main className={css.form}>
          <Title order={1} ref={heading} tabIndex={-1} className={css.title}>
            {title}
          </Title>
          {intro && <div className={css.intro}>{intro}</div>}
          {children}
        </main>
        <Footer />
      </div>
    </div>
  );
}

function Choices() {
  const { t } = useTranslation('shell');
  const language = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  return (
    <>
      <NativeSelect
        aria-label={t('language')}
        size="sm"
        data={LANGUAGES}
        value={language}
        onChange={(event) => void speak(event.currentTarget.value as Language)}
      />
      <ActionIcon
        variant="default"
        size={36}
        aria-label={t(scheme === 'dark' ? 'toLight' : 'toDark')}
        onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}
      >
        {scheme === 'dark' ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </>
  );
}
