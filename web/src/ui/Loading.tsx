import { Center, Loader } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** Waiting for a page. Shown late, so that quick answers do not flicker. */
export function Loading() {
  const { t } = useTranslation('ui');
  return (
    <Center mih={240} className="late">
      <Loader size="sm" aria-label={t('loading')} role="status" />
    </Center>
  );
}
