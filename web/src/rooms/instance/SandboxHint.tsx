import { Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Instance } from '@/api/types';
import { CodeBlock } from '@/ui';
import { useAddress, useSandbox } from '../parts/gateway';

/** Where `recado sandbox` listens unless told otherwise. */
const CONTROL = 'http://127.0.0.1:8090';
const SOME_PHONE = '5511999990001';

/** In the sandbox phones are virtual: commands that make one and let it take the code. */
export function SandboxHint({
  instance,
  by,
  phone = '',
  code,
}: {
  instance: Instance;
  by: 'qr' | 'code';
  phone?: string;
  code?: string;
}) {
  const { t } = useTranslation('instances');
  const address = useAddress();
  if (!useSandbox()) return null;
  const number = phone || SOME_PHONE;
  const make = [
    `SANDBOX=${CONTROL}`,
    `curl -s $SANDBOX/phones -d '{"number":"${number}","name":"Ana"}'`,
  ];
  const take =
    by === 'code'
      ? [`curl -s $SANDBOX/phones/${number}/pair -d '{"code":"${code ?? '…'}"}'`]
      : [
          `QR=$(curl -s "${address}/instances/${instance.id}/session/qr?format=text" \\`,
          `  -H "Authorization: Bearer $JWT")`,
          `curl -s $SANDBOX/phones/${number}/scan -d "{\\"qr\\":\\"$QR\\"}"`,
        ];
  return (
    <Stack gap="xs" mt="md">
      <Text size="sm" c="dimmed">
        {by === 'code' ? t('sandbox.text') : t('sandbox.qrText')}
      </Text>
      <CodeBlock label={t('sandbox.title')} value={[...make, ...take].join('\n')} />
      <Text size="sm" c="dimmed">
        {t('sandbox.address')} {by === 'qr' && t('sandbox.tokens')}
      </Text>
    </Stack>
  );
}
