import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Link } from '@/api/types';
import { UserText } from '@/ui';

export type LinkWords = {
  title: string;
  intro: ReactNode;
  password: string;
  submit: string;
  doneTitle: string;
  done: string;
};

/** The words of the page of a link, by its kind. Names of people stand apart from the sentences. */
export function useLinkWords(link: Link): LinkWords {
  const { t } = useTranslation(['start', 'shell', 'ui']);
  const chosen = link.known ? t('link.yourPassword') : t('link.newPassword');
  const as = link.email && (
    <>
      {' '}
      <UserText>{link.email}</UserText>
    </>
  );
  const none = { doneTitle: '', done: '' };
  switch (link.kind) {
    case 'setup':
      return {
        title: t('link.setup.title'),
        intro: t('link.setup.intro'),
        password: t('link.newPassword'),
        submit: t('link.setup.submit'),
        ...none,
      };
    case 'signup':
      return {
        title: t('link.signup.title'),
        intro: (
          <>
            {t(link.known ? 'link.signup.known' : 'link.signup.intro')}
            {as}
          </>
        ),
        password: chosen,
        submit: t('link.signup.submit'),
        ...none,
      };
    case 'invite':
      return {
        title: t('link.invite.title'),
        intro: (
          <>
            <b>
              <UserText>{link.account_name}</UserText>
            </b>
            {link.role && <> · {t(`shell:role.${link.role}`)}</>}
            <br />
            {t(link.known ? 'link.invite.known' : 'link.invite.intro')}
            {as}
          </>
        ),
        password: chosen,
        submit: t('link.invite.submit'),
        ...none,
      };
    case 'reset':
      return {
        title: t('link.reset.title'),
        intro: (
          <>
            {t(link.needs_otp ? 'link.reset.factor' : 'link.reset.intro')}
            {as}
          </>
        ),
        password: t('link.newPassword'),
        submit: t('link.reset.submit'),
        doneTitle: t('link.reset.doneTitle'),
        done: t('link.reset.done'),
      };
    case 'email':
      return {
        title: t('link.email.title'),
        intro: (
          <>
            {t('link.email.intro')}
            {as}
          </>
        ),
        password: '',
        submit: t('link.email.submit'),
        doneTitle: t('link.email.doneTitle'),
        done: t('link.email.done'),
      };
  }
}
