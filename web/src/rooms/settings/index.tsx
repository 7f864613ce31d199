import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/session/member';
import { Page } from '@/ui';
import { Business } from './Business';
import { Mcp } from './Mcp';
import { OwnLanguage } from './OwnLanguage';
import { TokenPanel } from './TokenPanel';

/** The token for agents, and how the account and its dashboard speak. */
export default function SettingsRoom() {
  const { t } = useTranslation('settings');
  const mayManage = useMay('admin');
  const mayUse = useMay('developer');
  // Shown by its panel and filled into the block below; gone with the page.
  const [token, setToken] = useState<string | null>(null);
  return (
    <Page title={t('title')} intro={mayUse ? t('intro') : undefined}>
      {mayUse && <TokenPanel shown={token} onShown={setToken} />}
      {mayUse && <Mcp token={token} />}
      <Business key={String(mayManage)} />
      <OwnLanguage />
    </Page>
  );
}
