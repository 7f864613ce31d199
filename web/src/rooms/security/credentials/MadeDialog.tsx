import { useTranslation } from 'react-i18next';
import type { Fresh } from '@/api/hooks/credentials';
import { useLanguage } from '@/i18n';
import { absolute, CodeBlock, Secret, type SecretItem } from '@/ui';
import { Lines } from '../../parts/Advice';

/** How it came to be: a new pair, a rotated pair, or a rotated secret alone. */
export type MadeWhat = 'new' | 'pair' | 'secret';

/** Fresh values: the client secret is seen here and nowhere else. */
export function MadeDialog({
  shown,
  onClose,
}: {
  shown: { what: MadeWhat; made: Fresh } | null;
  onClose: () => void;
}) {
  const { t } = useTranslation('security');
  const language = useLanguage();
  if (!shown) return null;
  const { what, made } = shown;
  const title = {
    new: t('newPair.done'),
    pair: t('made.rotatedPair'),
    secret: t('made.rotatedSecret'),
  }[what];
  const { token, secret } = made;
  const items: SecretItem[] = [];
  const lines: string[] = [];
  if (token) {
    items.push({ label: t('made.clientToken'), value: token });
    lines.push(`RECADO_CLIENT_TOKEN=${token}`);
  }
  if (secret) {
    items.push({ label: t('made.clientSecret'), value: secret });
    lines.push(`RECADO_CLIENT_SECRET=${secret}`);
  }
  const until = made.replaces?.grace_until;
  return (
    <Secret
      opened
      onClose={onClose}
      title={title}
      items={items}
      note={
        <>
          <p>{what === 'secret' ? t('made.secretText') : t('newPair.doneText')}</p>
          {made.replaces && (
            <p>
              {until
                ? t('made.oldUntil', { when: absolute(new Date(until), language) })
                : t('made.oldGone')}
            </p>
          )}
        </>
      }
      advice={
        <Lines
          lines={[t('pairs.advice.store'), t('pairs.advice.commit'), t('pairs.advice.browser')]}
        />
      }
    >
      <CodeBlock label={t('made.env')} value={lines.join('\n')} />
    </Secret>
  );
}
