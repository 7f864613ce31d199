import { Button, Stack } from '@mantine/core';
import { IconCalendarTime, IconEye, IconEyeOff, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRevealCredential, type Fresh } from '@/api/hooks/credentials';
import type { Credential } from '@/api/types';
import { clean, ErrorNote, SecretField, UserText, When } from '@/ui';
import { Facts, Mono } from '../parts/Facts';
import row from '../parts/Row.module.css';
import { ExpiryDialog } from './ExpiryDialog';
import { RegenerateDialog } from './RegenerateDialog';

/** One API token that works. Most accounts have one. */
export function Token({
  credential,
  shown,
  onShown,
  onMade,
}: {
  credential: Credential;
  shown: string | null;
  onShown: (token: string | null) => void;
  onMade: (made: Fresh) => void;
}) {
  const { t } = useTranslation('settings');
  const [asking, setAsking] = useState<'new' | 'expiry' | null>(null);
  const reveal = useRevealCredential();
  const { label, hint, created_at, last_used_at, expires_at } = credential;
  const close = () => setAsking(null);
  return (
    <Stack gap="md">
      {shown && <SecretField label={t('token.name')} value={shown} />}
      <Facts
        facts={[
          {
            label: clean(label ?? '') ? t('token.label') : t('token.name'),
            value: label ? <UserText>{label}</UserText> : <Mono>{hint}</Mono>,
          },
          ...(clean(label ?? '') ? [{ label: t('token.name'), value: <Mono>{hint}</Mono> }] : []),
          { label: t('token.created'), value: <When at={created_at} /> },
          {
            label: t('token.used'),
            value: last_used_at ? <When at={last_used_at} /> : t('token.never'),
          },
          {
            label: t('token.expires'),
            value: expires_at ? <When at={expires_at} exact /> : t('token.noExpiry'),
          },
        ]}
      />
      <ErrorNote error={reveal.error} />
      <div className={row.buttons}>
        {shown ? (
          <Button
            variant="default"
            leftSection={<IconEyeOff size={18} />}
            onClick={() => onShown(null)}
          >
            {t('token.hide')}
          </Button>
        ) : (
          <Button
            leftSection={<IconEye size={18} />}
            loading={reveal.isPending}
            onClick={() =>
              reveal.mutate(credential.id, {
                onSuccess: ({ token }) => {
                  onShown(token);
                  reveal.reset();
                },
              })
            }
          >
            {t('token.show')}
          </Button>
        )}
        <Button
          variant="default"
          leftSection={<IconRefresh size={18} />}
          onClick={() => setAsking('new')}
        >
          {t('token.regenerate')}
        </Button>
        <Button
          variant="subtle"
          leftSection={<IconCalendarTime size={18} />}
          onClick={() => setAsking('expiry')}
        >
          {expires_at ? t('token.changeExpiry') : t('token.expiry')}
        </Button>
      </div>
      <RegenerateDialog
        opened={asking === 'new'}
        id={credential.id}
        onClose={close}
        onMade={onMade}
      />
      <ExpiryDialog opened={asking === 'expiry'} credential={credential} onClose={close} />
    </Stack>
  );
}
