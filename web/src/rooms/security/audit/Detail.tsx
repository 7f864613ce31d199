import { useTranslation } from 'react-i18next';
import type { AuditEntry } from '@/api/types';
import { UserText, When } from '@/ui';
import css from './Audit.module.css';
import { actor, facts } from './read';

/** All that the log keeps of one entry. Members without words of ours are named as they are. */
export function Detail({ entry }: { entry: AuditEntry }) {
  const { t, i18n } = useTranslation('audit');
  const by = entry.detail.by as Record<string, unknown> | undefined;
  const known = [
    { key: 'at', at: entry.at },
    { key: 'kind', text: entry.kind },
    ...facts(entry.detail),
    ...(actor(entry.detail).user ? [{ key: 'by_user', text: String(by?.user) }] : []),
    ...(by?.proof ? [{ key: 'proof', text: String(by.proof) }] : []),
    ...(by?.credential ? [{ key: 'by_credential', text: String(by.credential) }] : []),
    { key: 'entry', text: entry.id },
  ] as { key: string; text?: string; at?: string }[];
  const value = (key: string, text: string | undefined) =>
    key === 'credential_kind' && i18n.exists(`audit:credentialKind.${text}`)
      ? t(`credentialKind.${text}`)
      : text;
  return (
    <dl className={css.facts}>
      {known.map(({ key, text, at }) => (
        <div key={key}>
          <dt>{i18n.exists(`audit:field.${key}`) ? t(`field.${key}`) : key}</dt>
          <dd>{at ? <When at={at} exact /> : <UserText>{value(key, text)}</UserText>}</dd>
        </div>
      ))}
    </dl>
  );
}
