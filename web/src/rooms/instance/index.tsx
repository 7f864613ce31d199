import { Button } from '@mantine/core';
import { IconDeviceMobileQuestion } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { isApiError } from '@/api/client';
import { useInstance } from '@/api/hooks/instances';
import type { Instance } from '@/api/types';
import { useMay } from '@/session/member';
import { EmptyState, ErrorNote, Loading, Note, Page, Panel, useSay, UserText } from '@/ui';
import { Reason, StateBadge } from '../instances/Standing';
import { ConnectedPanel, KeptPanel } from './Connected';
import { DeletePanel } from './Delete';
import { Identifiers } from './Identifiers';
import css from './Instance.module.css';
import { PairPanel } from './Pair';
import { TokenPanel } from './Token';

/** One instance: how it stands, linking a phone to it, its token, its end. */
export default function InstanceRoom() {
  const { t } = useTranslation('instances');
  const { id = '' } = useParams<{ id: string }>();
  const found = useInstance(id);
  const back = { href: '/instances', label: t('back') };
  const instance = found.data;

  if (isApiError(found.error) && found.error.status === 404) {
    return (
      <Page title={t('missing.title')} back={back}>
        <EmptyState
          icon={<IconDeviceMobileQuestion size={28} stroke={1.6} />}
          title={t('missing.title')}
          action={
            <Button component={Link} href="/instances">
              {t('back')}
            </Button>
          }
        >
          {t('missing.text')}
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page
      title={instance?.name ?? t('title')}
      heading={instance && <UserText>{instance.name}</UserText>}
      back={back}
      intro={
        instance && (
          <div className={css.standing} role="status">
            <StateBadge instance={instance} />
            <span>
              <Reason instance={instance} />
            </span>
          </div>
        )
      }
    >
      <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
      {instance ? <Parts key={id} instance={instance} /> : !found.error && <Loading />}
    </Page>
  );
}

function Parts({ instance }: { instance: Instance }) {
  const { t } = useTranslation('instances');
  const say = useSay();
  const mayUse = useMay('developer');
  const { paired, state } = instance;
  const before = useRef(paired);
  useEffect(() => {
    // The phone was linked while somebody looked, by whichever way.
    if (paired && !before.current) say.good(t('pair.linked'));
    before.current = paired;
  }, [paired, say, t]);
  const kept = paired && state === 'disconnected';

  return (
    <>
      {!paired && mayUse && <PairPanel instance={instance} />}
      {!paired && !mayUse && <Note>{t('pair.viewer')}</Note>}
      {kept && mayUse && <KeptPanel instance={instance} />}
      {paired && <ConnectedPanel instance={instance} />}
      <Panel title={t('facts.title')}>
        <Identifiers instance={instance} />
      </Panel>
      <TokenPanel instance={instance} />
      <DeletePanel instance={instance} />
    </>
  );
}
