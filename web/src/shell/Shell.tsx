import { IconDeviceMobile, IconSettings, IconShieldLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { AccountMenu } from './AccountMenu';
import { Footer } from './Footer';
import { MovedNote } from './MovedNote';
import { SandboxNote } from './SandboxNote';
import css from './Shell.module.css';
import { UserMenu } from './UserMenu';
import { Wordmark } from './Wordmark';

const ROOMS = [
  { href: '/', at: /^\/(instances(\/|$)|$)/, key: 'shell:instances', icon: IconDeviceMobile },
  { href: '/security', at: /^\/security(\/|$)/, key: 'shell:security', icon: IconShieldLock },
  { href: '/settings', at: /^\/settings(\/|$)/, key: 'shell:settings', icon: IconSettings },
] as const;

/** The frame around the rooms: at the side of a desktop, above and below on a phone. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation('shell');
  return (
    <div className={css.shell}>
      <a
        href="#content"
        className={css.skip}
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        {t('skip')}
      </a>
      <div className={css.frame}>
        <header className={css.side}>
          <Link href="/" className={css.home} aria-label={t('home')}>
            <Wordmark />
          </Link>
          <div className={css.account}>
            <AccountMenu />
          </div>
          <nav className={css.rooms} aria-label={t('rooms')}>
            <Rooms />
          </nav>
          <div className={css.user}>
            <UserMenu />
          </div>
        </header>
        <div className={css.main}>
          <SandboxNote />
          <MovedNote />
          <main id="content" tabIndex={-1} className={css.content}>
            {children}
          </main>
          <Footer />
        </div>
      </div>
    </div>
  );
}

function Rooms() {
  const { t } = useTranslation('shell');
  const [location] = useLocation();
  return ROOMS.map(({ href, at, key, icon: Icon }) => (
    <Link
      key={href}
      href={href}
      className={css.room}
      aria-current={at.test(location) ? 'page' : undefined}
    >
      <span className={css.icon}>
        <Icon size={21} stroke={1.7} aria-hidden />
      </span>
      {t(key)}
    </Link>
  ));
}
