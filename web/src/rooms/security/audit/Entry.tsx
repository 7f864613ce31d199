import { useTranslation } from 'react-i18next';
import { useMembers } from '@/api/hooks/members';
import type { AuditEntry } from '@/api/types';
import { useMember } from '@/session/member';
import { UserText, When } from '@/ui';
import css from './Audit.module.css';
import { Detail } from './Detail';
import { weight, wordsOf } from './kinds';
import { actor, subject } from './read';

/** One thing that happened: what, to what, by whom, from where, when. */
export function Entry({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation('audit');
  const words = wordsOf(entry.kind);
  const members = useMembers().data?.members;
  const member = members?.find(({ user_id }) => user_id === entry.detail.member);
  const about = subject(entry.detail) ?? member?.email;
  const from = entry.detail.from;
  return (
    <li className={css.entry} data-weight={weight(entry.kind)}>
      <div className={css.line}>
        <span className={css.what}>
          <b>{words ? t(`kind.${words}`) : entry.kind}</b>
          {about && (
            <span className={css.about}>
              {' '}
              <UserText>{about}</UserText>
            </span>
          )}
        </span>
        <span className={css.when}>
          <When at={entry.at} />
        </span>
      </div>
      <div className={css.by}>
        <Who detail={entry.detail} />
        {typeof from === 'string' && (
          <>
            {' '}
            <bdi>{t('from', { address: from })}</bdi>
          </>
        )}
      </div>
      <details className={css.details}>
        <summary>{t('details')}</summary>
        <Detail entry={entry} />
      </details>
    </li>
  );
}

/** Who did it, by name where it is a member. */
function Who({ detail }: { detail: AuditEntry['detail'] }) {
  const { t } = useTranslation('audit');
  const me = useMember();
  const members = useMembers().data?.members;
  const { user, proof } = actor(detail);
  if (user === me.user.id) return t('by.you');
  if (user) {
    const email = members?.find((member) => member.user_id === user)?.email;
    if (email) return <UserText>{email}</UserText>;
    return members ? t('by.formerMember') : t('by.user');
  }
  return proof ? t(`by.${proof}`) : null;
}
