import { ActionIcon, Button, Menu, Stack } from '@mantine/core';
import { IconDots, IconEye, IconEyeOff, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRevealCredential, type Fresh } from '@/api/hooks/credentials';
import type { Credential } from '@/api/types';
import { Badge, clean, ErrorNote, SecretField, UserText, When, type Tone } from '@/ui';
import { Facts, Mono } from '../../parts/Facts';
import type { MadeWhat } from './MadeDialog';
import { Old } from './Old';
import { ended, type Pair } from './pairs';
import css from './PairCard.module.css';
import { RenameDialog, RevokeDialog } from './PairDialogs';
import { RotateDialog } from './RotateDialog';

const TONES: Record<string, Tone> = {
  live: 'good',
  grace: 'warn',
  expired: 'idle',
  revoked: 'idle',
};
/** From then on a word about rotating stands there. */
const OLD_DAYS = 180;

type Asking = 'secret' | 'pair' | 'rename' | 'revoke' | null;

/** One client pair: what is known of it and what can be done with it. */
export function PairCard({
  pair,
  onMade,
}: {
  pair: Pair;
  onMade: (what: MadeWhat, made: Fresh) => void;
}) {
  const { t } = useTranslation('security');
  const [asking, setAsking] = useState<Asking>(null);
  const { token, secret, old } = pair;
  const label = clean(token.label ?? '') || t('pairs.unnamed');
  const over = ended(token);
  const replaced = token.state === 'grace';
  const close = () => setAsking(null);
  return (
    <article className={css.card} aria-label={label} data-over={over || undefined}>
      <header className={css.head}>
        <h3>
          <UserText>{label}</UserText>
        </h3>
        <Badge tone={TONES[token.state] ?? 'idle'}>
          {token.state in TONES ? t(`pairs.state.${token.state}`) : token.state}
        </Badge>
        {!over && (
          <div className={css.actions}>
            {secret && !replaced && (
              <Button
                variant="default"
                leftSection={<IconRefresh size={16} />}
                onClick={() => setAsking('secret')}
              >
                {t('pairs.rotate')}
              </Button>
            )}
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={t('pairs.more', { label })}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => setAsking('rename')}>{t('pairs.rename')}</Menu.Item>
                {!replaced && (
                  <Menu.Item onClick={() => setAsking('pair')}>{t('pairs.rotatePair')}</Menu.Item>
                )}
                <Menu.Divider />
                <Menu.Item color="clay" onClick={() => setAsking('revoke')}>
                  {t('pairs.revoke')}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </div>
        )}
      </header>
      {replaced && <Old credential={token} what={t('pairs.oldPair')} />}
      <Known pair={pair} />
      {!over && old.map((one) => <Old key={one.id} credential={one} what={t('pairs.oldSecret')} />)}
      {secret && secret.age_days >= OLD_DAYS && !over && (
        <p className={css.quiet}>{t('pairs.old', { count: secret.age_days })}</p>
      )}
      {secret && (
        <RotateDialog
          opened={asking === 'secret'}
          id={secret.id}
          what="secret"
          label={label}
          onClose={close}
          onMade={(made) => onMade('secret', made)}
        />
      )}
      <RotateDialog
        opened={asking === 'pair'}
        id={token.id}
        what="pair"
        label={label}
        onClose={close}
        onMade={(made) => onMade('pair', made)}
      />
      <RenameDialog opened={asking === 'rename'} token={token} onClose={close} />
      <RevokeDialog opened={asking === 'revoke'} token={token} label={label} onClose={close} />
    </article>
  );
}

function Known({ pair: { token, secret } }: { pair: Pair }) {
  const { t } = useTranslation('security');
  const used = secret?.last_used_at ?? token.last_used_at;
  const age = secret?.age_days ?? token.age_days;
  return (
    <Facts
      facts={[
        { label: t('pairs.token'), value: <ClientToken token={token} /> },
        {
          label: t('pairs.secret'),
          hint: t('pairs.once'),
          value: secret ? <Mono>{secret.hint}</Mono> : '–',
        },
        {
          label: t('pairs.age'),
          value: age > 0 ? t('pairs.days', { count: age }) : t('pairs.today'),
        },
        { label: t('pairs.used'), value: used ? <When at={used} /> : t('pairs.never') },
        ...(token.expires_at
          ? [{ label: t('pairs.expires'), value: <When at={token.expires_at} exact /> }]
          : []),
        ...(token.networks
          ? [{ label: t('pairs.networks'), value: <Mono>{token.networks.join(', ')}</Mono> }]
          : []),
        ...(token.instances
          ? [
              {
                label: t('pairs.instances'),
                value: t('pairs.instancesCount', { count: token.instances.length }),
              },
            ]
          : []),
      ]}
    />
  );
}

/** The client token: its hint, and all of it behind the password. */
function ClientToken({ token }: { token: Credential }) {
  const { t } = useTranslation('security');
  const [text, setText] = useState<string | null>(null);
  const reveal = useRevealCredential();
  const label = clean(token.label ?? '') || t('pairs.unnamed');
  if (text) {
    return (
      <Stack gap="xs">
        <SecretField label={t('pairs.token')} value={text} hint={t('pairs.advice.store')} />
        <div>
          <Button
            variant="subtle"
            size="xs"
            leftSection={<IconEyeOff size={16} />}
            onClick={() => setText(null)}
          >
            {t('pairs.hide')}
          </Button>
        </div>
      </Stack>
    );
  }
  return (
    <>
      <span className={css.token}>
        <Mono>{token.hint}</Mono>
        {!ended(token) && (
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconEye size={16} />}
            aria-label={t('pairs.showToken', { label })}
            loading={reveal.isPending}
            onClick={() =>
              reveal.mutate(token.id, {
                onSuccess: (shown) => {
                  setText(shown.token);
                  reveal.reset();
                },
              })
            }
          >
            {t('pairs.show')}
          </Button>
        )}
      </span>
      <ErrorNote error={reveal.error} />
    </>
  );
}
