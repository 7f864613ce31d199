import { useTranslation } from 'react-i18next';
import type { Fresh } from '@/api/hooks/credentials';
import { useLanguage } from '@/i18n';
import { absolute, Secret } from '@/ui';
import { Lines } from '../parts/Advice';

/** A token that was just made, and what became of the one before. */
export function FreshToken({ made, onClose }: { made: Fresh | null; onClose: () => void }) {
  const { t } = useTranslation('settings');
  const language = useLanguage();
  if (!made) return null;
  const until = made.replaces?.grace_until;
  return (
    <Secret
      opened
      onClose={onClose}
      title={t('regenerate.done')}
      items={[{ label: t('token.name'), value: made.token ?? '' }]}
      note={
        <>
          <p>{t('regenerate.doneText')}</p>
          {made.replaces && (
            <p>
              {until
                ? t('regenerate.oldUntil', { when: absolute(new Date(until), language) })
                : t('regenerate.oldGone')}
            </p>
          )}
        </>
      }
      advice={<Lines lines={[t('token.adviceSecret'), t('token.adviceEnv')]} />}
    />
  );
}
