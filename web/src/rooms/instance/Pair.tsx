import { Tabs } from '@mantine/core';
import { IconPassword, IconQrcode } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useHistoryState } from 'wouter/use-browser-location';
import type { Instance } from '@/api/types';
import { Panel } from '@/ui';
import { CodePane } from './CodePane';
import { QrPane } from './QrPane';

/** Linking a phone, by camera or by typing. */
export function PairPanel({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const state: unknown = useHistoryState();
  const begin = typeof state === 'object' && state !== null && 'pair' in state;
  return (
    <Panel title={t('pair.title')}>
      <Tabs defaultValue="qr" keepMounted={false}>
        <Tabs.List mb="lg">
          <Tabs.Tab value="qr" leftSection={<IconQrcode size={18} />}>
            {t('pair.qr')}
          </Tabs.Tab>
          <Tabs.Tab value="code" leftSection={<IconPassword size={18} />}>
            {t('pair.code')}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="qr">
          <QrPane instance={instance} begin={begin || instance.state === 'qr_pending'} />
        </Tabs.Panel>
        <Tabs.Panel value="code">
          <CodePane instance={instance} />
        </Tabs.Panel>
      </Tabs>
    </Panel>
  );
}
