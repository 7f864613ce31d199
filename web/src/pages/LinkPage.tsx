import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link as Anchor } from 'wouter';
import { isApiError } from '@/api/client';
import { useLookAtLink } from '@/api/hooks/links';
import { ErrorNote, Loading } from '@/ui';
import { Door } from './Door';
import { LinkForm } from './LinkForm';
import { dropToken, takeToken } from './token';
import { Unreachable } from './Unreachable';

/** Where the links of letters and of the first start lead. */
export default function LinkPage() {
  const { t } = useTranslation('start');
  const [token, setToken] = useState(takeToken);
  const { mutate: look, data: link, error } = useLookAtLink();
  const again = useCallback(() => {
    if (token) look(token);
  }, [look, token]);

  useEffect(again, [again]);
  useEffect(() => {
    // Another link put into the same address bar does not load the page anew.
    const changed = () => setToken(takeToken());
    window.addEventListener('hashchange', changed);
    return () => {
      window.removeEventListener('hashchange', changed);
    };
  }, []);

  if (!token) {
    return (
      <Door title={t('link.noneTitle')} intro={t('link.none')}>
        <Anchor href="/sign-in">{t('toSignIn')}</Anchor>
      </Door>
    );
  }
  if (isApiError(error, 'link_invalid')) return <Gone />;
  if (isApiError(error, 'unreachable')) return <Unreachable error={error} onRetry={again} />;
  if (error) {
    return (
      <Door title={t('link.noneTitle')}>
        <ErrorNote error={error} onRetry={again} />
      </Door>
    );
  }
  if (!link) return <Loading />;
  return <LinkForm key={token} token={token} link={link} onDone={dropToken} />;
}

/** Used, expired or withdrawn: the gateway does not say which. */
export function Gone() {
  const { t } = useTranslation('start');
  return (
    <Door title={t('link.goneTitle')} intro={t('link.gone')}>
      <ul>
        <li>{t('link.goneReset')}</li>
        <li>{t('link.goneInvite')}</li>
        <li>{t('link.goneSetup')}</li>
      </ul>
      <Anchor href="/sign-in">{t('toSignIn')}</Anchor>
    </Door>
  );
}
