import { Button } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { EmptyState, Page } from '@/ui';

export default function NotFound() {
  const { t } = useTranslation('start');
  const [, navigate] = useLocation();
  return (
    <Page title={t('notFound.title')}>
      <EmptyState
        icon={<IconMapQuestion size={28} stroke={1.6} aria-hidden />}
        title={t('notFound.what')}
        action={<Button onClick={() => navigate('/')}>{t('notFound.home')}</Button>}
      >
        {t('notFound.text')}
      </EmptyState>
    </Page>
  );
}
