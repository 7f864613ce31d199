import {
  Button,
  NativeSelect,
  Popover,
  SegmentedControl,
  UnstyledButton,
  useMantineColorScheme,
  type MantineColorScheme,
} from '@mantine/core';
import { IconLogout, IconUserCircle } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { useOwnLanguage } from '@/api/hooks/session';
import type { Language } from '@/api/types';
import { speak, useLanguage } from '@/i18n';
import { LANGUAGES } from '@/i18n/languages';
import { useLeave } from '@/session/leave';
import { useMember } from '@/session/member';
import { UserText, useSay } from '@/ui';
import css from './menus.module.css';

/** What is one's own: language, light or dark, signing out. */
export function UserMenu() {
  const { t } = useTranslation('shell');
  const { user } = useMember();
  const look = useId();
  const language = useLanguage();
  const own = useOwnLanguage();
  const say = useSay();
  const leave = useLeave();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useMutation({
    mutationFn: () => api.post('/logout', {}, { plain: true }),
    onSuccess: () => leave(),
    onError: say.bad,
  });

  return (
    <Popover position="top-start" width={290} trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={css.button}>
          <IconUserCircle size={22} stroke={1.6} aria-hidden />
          <span className={css.email}>
            <UserText>{user.email}</UserText>
          </span>
          <span className="unseen">{t('userMenu')}</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={css.drop} aria-label={t('userMenu')}>
        <p className={css.who}>
          <UserText>{user.email}</UserText>
        </p>
        <NativeSelect
          label={t('language')}
          data={LANGUAGES}
          value={language}
          onChange={(event) => {
            const next = event.currentTarget.value as Language;
            void speak(next);
            own.mutate(next, { onError: say.bad });
          }}
        />
        <div>
          <div className={css.caption} id={look}>
            {t('look')}
          </div>
          <SegmentedControl
            fullWidth
            size="sm"
            aria-labelledby={look}
            value={colorScheme}
            onChange={(next) => setColorScheme(next as MantineColorScheme)}
            data={[
              { value: 'light', label: t('light') },
              { value: 'dark', label: t('dark') },
              { value: 'auto', label: t('auto') },
            ]}
          />
        </div>
        <Button
          variant="default"
          fullWidth
          leftSection={<IconLogout size={18} stroke={1.6} aria-hidden />}
          loading={signOut.isPending}
          onClick={() => signOut.mutate()}
        >
          {t('signOut')}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
