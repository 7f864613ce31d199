import { CloseButton } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMember } from '@/session/member';
import { forgetBefore, shownBefore } from '@/session/moved';
import { clean, Note } from '@/ui';
import css from './MovedNote.module.css';

/** Why the page was loaded anew: another tab moved the session meanwhile. */
export function MovedNote() {
  const { t } = useTranslation(['session', 'ui']);
  const { account, user } = useMember();
  const [before, setBefore] = useState(shownBefore);
  // Said once: another account that is switched to from here is no news.
  useEffect(forgetBefore, []);
  if (before === null) return null;
  return (
    <div className={css.place}>
      <Note tone="warn" role="alert" title={t('moved.title')}>
        <p>
          {t('moved.text', {
            before: clean(before),
            now: clean(account.name),
            email: clean(user.email),
          })}
        </p>
      </Note>
      <CloseButton aria-label={t('ui:close')} onClick={() => setBefore(null)} />
    </div>
  );
}
