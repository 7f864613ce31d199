import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useSearch } from 'wouter';
import { useGateway } from '@/api/hooks/state';
import { nextPath } from '@/session/member';
import { SignInForm } from '@/session/SignInForm';
import { hear } from '@/session/tabs';
import { Door } from './Door';
import css from './Door.module.css';
import { SetupNeeded } from './SetupNeeded';
import { Unreachable } from './Unreachable';
import { Note } from '@/ui';

export default function SignIn() {
  const { t } = useTranslation('start');
  const cache = useQueryClient();
  const gateway = useGateway();
  const [, navigate] = useLocation();
  const search = useSearch();
  const next = nextPath(search);
  const done = useCallback(() => {
    cache.removeQueries({ predicate: (query) => query.queryKey[0] !== 'state' });
    navigate(next, { replace: true });
  }, [cache, navigate, next]);
  // In another tab is in this one, too.
  useEffect(() => hear((word) => word === 'in' && done()), [done]);

  if (gateway.error && !gateway.data) {
    return <Unreachable error={gateway.error} onRetry={() => void gateway.refetch()} />;
  }
  if (gateway.data?.setup_needed) return <SetupNeeded />;
  return (
    <Door title={t('signIn.title')}>
      {next !== '/' && <Note>{t('signIn.back')}</Note>}
      <SignInForm onDone={done} />
      <div className={css.under}>
        <Link href="/forgot">{t('signIn.forgot')}</Link>
        {gateway.data?.signup === 'open' && <Link href="/sign-up">{t('signIn.signUp')}</Link>}
      </div>
    </Door>
  );
}
