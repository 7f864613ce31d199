import { Button, Stack } from '@mantine/core';
import { IconEye, IconEyeOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useInstanceToken } from '@/api/hooks/instances';
import type { Instance } from '@/api/types';
import { useMay } from '@/session/member';
import { CodeBlock, ErrorNote, Note, Panel, SecretField } from '@/ui';
import { Advice } from '../parts/Advice';
import { useAddress } from '../parts/gateway';

/** The instance's own token: asked for on purpose, and gone with the page. */
export function TokenPanel({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const address = useAddress();
  const mayUse = useMay('developer');
  const [token, setToken] = useState<string | null>(null);
  const show = useInstanceToken(instance.id);
  if (!mayUse) {
    return (
      <Panel title={t('token.title')} tone="quiet">
        {t('token.viewer')}
      </Panel>
    );
  }
  const curl = [
    `curl "${address}/instances/${instance.id}/session/status" \\`,
    `  -H "X-Instance-Token: ${token ?? '$INSTANCE_TOKEN'}" \\`,
    `  -H "X-Client-Token: $CLIENT_TOKEN"`,
  ].join('\n');
  return (
    <Panel
      title={t('token.title')}
      intro={t('token.text')}
      actions={
        token ? (
          <Button
            variant="default"
            leftSection={<IconEyeOff size={18} />}
            onClick={() => setToken(null)}
          >
            {t('token.hide')}
          </Button>
        ) : (
          <Button
            variant="default"
            leftSection={<IconEye size={18} />}
            loading={show.isPending}
            onClick={() =>
              show.mutate(undefined, {
                onSuccess: (shown) => {
                  setToken(shown.token);
                  show.reset();
                },
              })
            }
          >
            {t('token.show')}
          </Button>
        )
      }
    >
      <Stack gap="md">
        <ErrorNote error={show.error} />
        {token && <SecretField label={t('token.label')} value={token} />}
        <CodeBlock label={t('token.curl')} value={curl} />
        {!token && <Note>{t('token.curlHint')}</Note>}
        <Advice
          lines={[t('token.adviceStore'), t('token.adviceCode'), t('token.adviceForbidden')]}
        />
      </Stack>
    </Panel>
  );
}
