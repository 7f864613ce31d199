import { useTranslation } from 'react-i18next';
import { useGateway } from '@/api/hooks/state';
import css from './Footer.module.css';

/** Which program this is, and where its source is: the licence gives every user a right to it. */
export function Footer() {
  const { t } = useTranslation('shell');
  const state = useGateway().data;
  return (
    <footer className={css.footer}>
      {state && (
        <>
          <span>{t('version', { version: state.version })}</span>
          <a href={state.source_url} rel="noreferrer" target="_blank">
            {t('source')}
          </a>
        </>
      )}
    </footer>
  );
}
