import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useGateway } from '@/api/hooks/state';
import { Note, UserText } from '@/ui';
import { Door } from './Door';

/** The same words whether the address is known or not. */
export function LetterSent({ email, text }: { email: string; text: string }) {
  const { t } = useTranslation('start');
  const gateway = useGateway();
  return (
    <Door
      title={t('sent.title')}
      intro={
        <>
          {text} <UserText>{email}</UserText>
        </>
      }
    >
      <p>{t('sent.wait')}</p>
      {gateway.data?.mail === 'file' && <Note>{t('sent.file')}</Note>}
      <Link href="/sign-in">{t('toSignIn')}</Link>
    </Door>
  );
}
