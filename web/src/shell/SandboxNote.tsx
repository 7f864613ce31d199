import { IconFlask } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useGateway } from '@/api/hooks/state';
import css from './SandboxNote.module.css';

/** Which network this is, where it is not the real one. */
export function SandboxNote() {
  const { t } = useTranslation('shell');
  const gateway = useGateway();
  if (gateway.data?.network !== 'sandbox') return null;
  return (
    <aside className={css.note} aria-label={t('network')}>
      <IconFlask size={16} aria-hidden /> {t('sandbox')}
    </aside>
  );
}
