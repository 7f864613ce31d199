import { Trans, useTranslation } from 'react-i18next';
import css from './Instance.module.css';

/** What to tap on the phone. */
export function Steps({ by }: { by: 'qr' | 'code' }) {
  const { t } = useTranslation('instances');
  const bold = { b: <b /> };
  return (
    <div>
      <h3 className={css.stepsTitle}>{t('pair.steps.title')}</h3>
      <ol className={css.steps}>
        <li>{t('pair.steps.open')}</li>
        <li>{t('pair.steps.menu')}</li>
        <li>
          <Trans t={t} i18nKey="pair.steps.linked" components={bold} />
        </li>
        {by === 'code' && (
          <li>
            <Trans t={t} i18nKey="pair.steps.instead" components={bold} />
          </li>
        )}
        <li>{by === 'qr' ? t('pair.steps.scan') : t('pair.steps.type')}</li>
      </ol>
    </div>
  );
}
