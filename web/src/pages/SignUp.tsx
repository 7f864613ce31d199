import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useAskForSignUp } from '@/api/hooks/links';
import { useGateway } from '@/api/hooks/state';
import { useLanguage } from '@/i18n';
import { Loading } from '@/ui';
import { Door } from './Door';
import { LetterForm } from './LetterForm';
import { LetterSent } from './LetterSent';
import { Unreachable } from './Unreachable';

export default function SignUp() {
  const { t } = useTranslation('start');
  const gateway = useGateway();
  const language = useLanguage();
  const signUp = useAskForSignUp();
  const [sent, setSent] = useState<string | null>(null);

  if (gateway.isPending) return <Loading />;
  if (!gateway.data) {
    return <Unreachable error={gateway.error} onRetry={() => void gateway.refetch()} />;
  }
  if (gateway.data.signup !== 'open') {
    return (
      <Door title={t('signUp.closedTitle')} intro={t('signUp.closed')}>
        <Link href="/sign-in">{t('toSignIn')}</Link>
      </Door>
    );
  }
  if (sent !== null) return <LetterSent email={sent} text={t('signUp.sent')} />;
  return (
    <Door title={t('signUp.title')} intro={t('signUp.intro')}>
      <LetterForm
        action="signup"
        submit={t('signUp.submit')}
        send={(email, human) => signUp.mutateAsync({ email, language, ...human })}
        onSent={setSent}
      />
      <Link href="/sign-in">{t('signUp.already')}</Link>
    </Door>
  );
}
