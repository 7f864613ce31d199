import { Button, Checkbox, Stack } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCredentials, type Fresh } from '@/api/hooks/credentials';
import { useMay } from '@/session/member';
import { EmptyState, ErrorNote, Loading, Note, Panel } from '@/ui';
import { Advice } from '../../parts/Advice';
import { JwtPanel } from './Jwt';
import { MadeDialog, type MadeWhat } from './MadeDialog';
import { NewPair } from './NewPair';
import { PairCard } from './PairCard';
import { pairs } from './pairs';

export function CredentialsPart() {
  const mayManage = useMay('admin');
  return (
    <>
      {mayManage ? <Pairs /> : <Developers />}
      <JwtPanel />
    </>
  );
}

function Developers() {
  const { t } = useTranslation('security');
  return (
    <Panel title={t('pairs.title')} intro={t('pairs.text')} tone="quiet">
      <Note>{t('pairs.developer')}</Note>
    </Panel>
  );
}

/** The client pairs of the account, one card each. */
function Pairs() {
  const { t } = useTranslation('security');
  const [ended, setEnded] = useState(false);
  const [making, setMaking] = useState(false);
  // The one place that holds a fresh secret, for as long as its dialog is open.
  const [made, setMade] = useState<{ what: MadeWhat; made: Fresh } | null>(null);
  const found = useCredentials(['client_token', 'client_secret'], ended);
  const list = found.data && pairs(found.data);
  const button = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setMaking(true)}>
      {t('pairs.new')}
    </Button>
  );
  return (
    <>
      <Panel title={t('pairs.title')} intro={t('pairs.text')} actions={button}>
        <Stack gap="md">
          <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
          {!list && !found.error && <Loading />}
          {list?.length === 0 && (
            <EmptyState icon={<IconKey size={28} stroke={1.6} />} title={t('pairs.none.title')}>
              {t('pairs.none.text')}
            </EmptyState>
          )}
          {list?.map((pair) => (
            <PairCard
              key={pair.token.id}
              pair={pair}
              onMade={(what, fresh) => setMade({ what, made: fresh })}
            />
          ))}
          <Checkbox
            label={t('pairs.showEnded')}
            checked={ended}
            onChange={(event) => setEnded(event.currentTarget.checked)}
          />
          <Advice
            title={t('pairs.advice.title')}
            lines={[
              t('pairs.advice.store'),
              t('pairs.advice.commit'),
              t('pairs.advice.browser'),
              t('pairs.advice.separate'),
            ]}
          />
        </Stack>
      </Panel>
      <NewPair
        opened={making}
        onClose={() => setMaking(false)}
        onMade={(fresh) => setMade({ what: 'new', made: fresh })}
      />
      <MadeDialog shown={made} onClose={() => setMade(null)} />
    </>
  );
}
