import { Button, Stack } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCredentials, useMakeCredential, type Fresh } from '@/api/hooks/credentials';
import type { Credential } from '@/api/types';
import { useMay } from '@/session/member';
import { EmptyState, ErrorNote, Loading, Panel } from '@/ui';
import { Advice } from '../parts/Advice';
import { FreshToken } from './FreshToken';
import { Grace } from './OldToken';
import { Token } from './Token';

type Props = { shown: string | null; onShown: (token: string | null) => void };

/** The account's `token_ext`: to be shown, replaced, given an end. */
export function TokenPanel(props: Props) {
  const { t } = useTranslation('settings');
  if (useMay('admin')) return <Managed {...props} />;
  return (
    <Panel title={t('token.title')} intro={t('token.text')} tone="quiet">
      {t('token.role')}
    </Panel>
  );
}

function Managed({ shown, onShown }: Props) {
  const { t } = useTranslation('settings');
  const found = useCredentials(['api_token']);
  const make = useMakeCredential();
  const [fresh, setFresh] = useState<Fresh | null>(null);
  // Which token `shown` is of, where an account has several.
  const [of, setOf] = useState<string | null>(null);
  const list = found.data;
  const live = list?.filter(({ state }) => state === 'live') ?? [];
  const old = list?.filter(({ state }) => state === 'grace') ?? [];
  const show = (credential: Credential, token: string | null) => {
    setOf(token && credential.id);
    onShown(token);
  };
  const made = (credential: Fresh) => {
    setFresh(credential);
    // What was shown may just have ended.
    onShown(null);
  };
  return (
    <>
      <Panel title={t('token.title')} intro={t('token.text')}>
        <Stack gap="md">
          <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
          {!list && !found.error && <Loading />}
          {list && live.length === 0 && (
            <EmptyState
              icon={<IconKey size={28} stroke={1.6} />}
              title={t('token.none.title')}
              action={
                <Button
                  loading={make.isPending}
                  onClick={() =>
                    make.mutate(
                      { kind: 'api_token' },
                      {
                        onSuccess: (credential) => {
                          made(credential);
                          make.reset();
                        },
                      },
                    )
                  }
                >
                  {t('token.none.make')}
                </Button>
              }
            >
              {t('token.none.text')}
            </EmptyState>
          )}
          <ErrorNote error={make.error} />
          {live.map((credential) => (
            <Token
              key={credential.id}
              credential={credential}
              shown={of === credential.id ? shown : null}
              onShown={(token) => show(credential, token)}
              onMade={made}
            />
          ))}
          {old.map((credential) => (
            <Grace key={credential.id} credential={credential} />
          ))}
          <Advice
            lines={[
              t('token.adviceSecret'),
              t('token.adviceEnv'),
              t('token.adviceScope'),
              t('token.adviceEnd'),
            ]}
          />
        </Stack>
      </Panel>
      <FreshToken made={fresh} onClose={() => setFresh(null)} />
    </>
  );
}
