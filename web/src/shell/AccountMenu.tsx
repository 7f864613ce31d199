import { Popover, UnstyledButton } from '@mantine/core';
import { IconBuildingStore, IconCheck, IconSelector } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { useSwitchAccount } from '@/api/hooks/session';
import type { Account } from '@/api/types';
import { useMember } from '@/session/member';
import { UserText, useSay } from '@/ui';
import css from './menus.module.css';

/** The account one is in; a menu when one is a member of several. */
export function AccountMenu() {
  const { t } = useTranslation('shell');
  const { account, accounts } = useMember();
  const change = useSwitchAccount();
  const say = useSay();
  const [, navigate] = useLocation();
  const [opened, setOpened] = useState(false);

  if (accounts.length < 2) {
    return (
      <div className={css.still}>
        <IconBuildingStore size={20} stroke={1.6} aria-hidden />
        <Lines account={account} />
      </div>
    );
  }
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton
          className={css.button}
          disabled={change.isPending}
          onClick={() => setOpened(!opened)}
        >
          <IconBuildingStore size={20} stroke={1.6} aria-hidden />
          <Lines account={account} />
          <IconSelector size={16} aria-hidden />
          <span className="unseen">{t('switchAccount')}</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={css.drop} aria-label={t('switchAccount')}>
        <p className={css.label}>{t('switchAccount')}</p>
        <ul className={css.list}>
          {accounts.map((other) => (
            <li key={other.id}>
              <UnstyledButton
                className={css.choice}
                aria-current={other.id === account.id || undefined}
                disabled={change.isPending}
                onClick={() => {
                  if (other.id === account.id) return setOpened(false);
                  // What is drawn is another account's by then, this menu as well.
                  change.mutateAsync(other).then(() => navigate('/'), say.bad);
                }}
              >
                <Lines account={other} />
                {other.id === account.id && <IconCheck size={16} aria-hidden />}
              </UnstyledButton>
            </li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
}

function Lines({ account }: { account: Account }) {
  const { t } = useTranslation('shell');
  return (
    <span className={css.lines}>
      <span className={css.name}>
        <UserText>{account.name}</UserText>
      </span>
      <span className={css.under}>{t(`role.${account.role}`)}</span>
    </span>
  );
}
