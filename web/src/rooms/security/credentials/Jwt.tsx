import { Button, Stack } from '@mantine/core';
import { IconClockHour4, IconEyeOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useToken } from '@/api/hooks/credentials';
import { CodeBlock, ErrorNote, Note, Panel, SecretField, useNow, When } from '@/ui';
import { Advice } from '../../parts/Advice';
import { useAddress } from '../../parts/gateway';

type Jwt = { text: string; until: string };

/** A JWT to try things with, and how a server gets its own. */
export function JwtPanel() {
  const { t } = useTranslation('security');
  const address = useAddress();
  const [jwt, setJwt] = useState<Jwt | null>(null);
  const get = useToken();
  const use = [
    `curl -X POST "${address}/instances/list" \\`,
    `  -H "Authorization: Bearer ${jwt ? jwt.text : '$JWT'}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '{"page":1,"size":20}'`,
  ].join('\n');
  const server = [
    `curl -X POST "${address}/token" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d "{\\"client_token\\":\\"$CLIENT_TOKEN\\",\\"client_secret\\":\\"$CLIENT_SECRET\\"}"`,
  ].join('\n');
  return (
    <Panel
      title={t('jwt.title')}
      intro={t('jwt.text')}
      actions={
        jwt ? (
          <Button
            variant="default"
            leftSection={<IconEyeOff size={18} />}
            onClick={() => setJwt(null)}
          >
            {t('pairs.hide')}
          </Button>
        ) : (
          <Button
            variant="default"
            leftSection={<IconClockHour4 size={18} />}
            loading={get.isPending}
            onClick={() =>
              get.mutate(undefined, {
                onSuccess: ({ access_token, expires_in }) => {
                  const until = new Date(Date.now() + expires_in * 1000).toISOString();
                  setJwt({ text: access_token, until });
                  get.reset();
                },
              })
            }
          >
            {t('jwt.get')}
          </Button>
        )
      }
    >
      <Stack gap="md">
        <ErrorNote error={get.error} />
        {jwt && (
          <>
            <SecretField label={t('jwt.label')} value={jwt.text} hint={<Ends at={jwt.until} />} />
            <Advice lines={[t('jwt.adviceShort'), t('jwt.adviceEnd')]} />
          </>
        )}
        <CodeBlock label={t('jwt.use')} value={use} />
        <CodeBlock label={t('jwt.server')} value={server} />
        <Note>{t('jwt.serverText')}</Note>
      </Stack>
    </Panel>
  );
}

function Ends({ at }: { at: string }) {
  const { t } = useTranslation('security');
  const over = useNow(5_000) >= new Date(at);
  if (over) return t('jwt.over');
  return (
    <>
      {t('jwt.ends')} <When at={at} />
    </>
  );
}
