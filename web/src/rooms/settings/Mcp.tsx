import { Stack } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/session/member';
import { CodeBlock, Note, Panel, SecretField } from '@/ui';
import { useAddress } from '../parts/gateway';

const PLACEHOLDER = '<token_ext>';

/** What an MCP client is told: the form that its configuration file has. */
export const mcpServers = (url: string, token: string) =>
  JSON.stringify(
    { mcpServers: { recado: { url, headers: { Authorization: `Bearer ${token}` } } } },
    null,
    2,
  );

/** The block to paste; the token is in it once it is shown above. */
export function Mcp({ token }: { token: string | null }) {
  const { t } = useTranslation('settings');
  const mayShow = useMay('admin');
  const url = `${useAddress()}/api/mcp/`;
  const bearer = token ?? PLACEHOLDER;
  return (
    <Panel title={t('mcp.title')} intro={t('mcp.text')}>
      <Stack gap="md">
        <CodeBlock label={t('mcp.block')} value={mcpServers(url, bearer)} />
        {token ? (
          <Note tone="warn">{t('mcp.filled')}</Note>
        ) : (
          <Note>{mayShow ? t('mcp.placeholder') : t('mcp.role')}</Note>
        )}
        <CodeBlock
          label={t('mcp.command')}
          value={`claude mcp add --transport http recado ${url} \\\n  --header "Authorization: Bearer ${bearer}"`}
        />
        <SecretField label={t('mcp.address')} value={url} />
      </Stack>
    </Panel>
  );
}
