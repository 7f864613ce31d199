import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '@/ui';

/** Catches what a page throws, such as a part that is gone since the gateway was upgraded. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useTranslation('ui');
  return (
    <EmptyState
      title={t('broken')}
      action={<Button onClick={() => window.location.reload()}>{t('reload')}</Button>}
    >
      {t('brokenText')}
    </EmptyState>
  );
}
