import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useAskForReset } from '@/api/hooks/links';
import { useLanguage } from '@/i18n';
import { Door } from './Door';
import { LetterForm } from './LetterForm';
import { LetterSent } from './LetterSent';

export default function Forgot() {
  const { t } = useTranslation('start');
  const reset = useAskForReset();
  const language = useLanguage();
  const [sent, setSent] = useState<string | null>(null);
  if (sent !== null) return <LetterSent email={sent} text={t('forgot.sent')} />;
  return (
    <Door title={t('forgot.title')} intro={t('forgot.intro')}>
      <LetterForm
        action="reset"
        submit={t('forgot.submit')}
        send={(email, human) => reset.mutateAsync({ email, language, ...human })}
        onSent={setSent}
      />
      <Link href="/sign-in">{t('toSignIn')}</Link>
    </Door>
  );
}
