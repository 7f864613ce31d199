import { Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { CodeBlock } from '@/ui';
import { useSandboxAddress } from '../parts/gateway';

const SOME_PHONE = '5511999990001';

/** In the sandbox phones are virtual: commands that make one and let it take the code. */
export function SandboxHint({
  by,
  phone = '',
  code,
}: {
  by: 'qr' | 'code';
  phone?: string;
  code?: string | null;
}) {
  const { t } = useTranslation('instances');
  const address = useSandboxAddress();
  if (!address) return null;
  const number = phone || SOME_PHONE;
  const [verb, field] = by === 'code' ? ['pair', 'code'] : ['scan', 'qr'];
  const lines = [
    `curl -s ${address}/phones -d '{"number":"${number}","name":"Ana"}'`,
    `curl -s ${address}/phones/${number}/${verb} -d '{"${field}":"${code ?? '…'}"}'`,
  ];
  return (
    <Stack gap="xs" mt="md">
      <Text size="sm" c="dimmed">
        {by === 'code' ? t('sandbox.text') : t('sandbox.qrText')}
      </Text>
      <CodeBlock label={t('sandbox.title')} value={lines.join('\n')} />
    </Stack>
  );
}
