import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  useEndOtherSessions,
  useEndSession,
  useSessions,
  useSignEveryoneOut,
} from '@/api/hooks/account';
import type { Session } from '@/api/types';
import { useLeave } from '@/session/leave';
import { useMay, useMember } from '@/session/member';
import {
  Badge,
  clean,
  ConfirmDialog,
  ErrorNote,
  Loading,
  Panel,
  Table,
  useSay,
  UserText,
  When,
} from '@/ui';
import { Lines } from '../../parts/Advice';
import { device } from '../device';
import css from './Access.module.css';

/** Where one is signed in, and the account-wide switch for bad days. */
export function SessionsPart() {
  const mayEndAll = useMay('admin');
  return (
    <>
      <Own />
      {mayEndAll && <Everywhere />}
    </>
  );
}

function Own() {
  const { t } = useTranslation('security');
  const say = useSay();
  const [asking, setAsking] = useState(false);
  const found = useSessions();
  const endOthers = useEndOtherSessions();
  const list = found.data?.sessions;
  return (
    <Panel
      title={t('sessions.title')}
      intro={t('sessions.text')}
      flush
      actions={
        list &&
        list.length > 1 && (
          <Button variant="default" onClick={() => setAsking(true)}>
            {t('sessions.endOthers')}
          </Button>
        )
      }
    >
      {found.error && (
        <div className={css.inset}>
          <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
        </div>
      )}
      {!list && !found.error && <Loading />}
      {list && <List sessions={list} />}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('sessions.endOthersTitle')}
        confirmLabel={t('sessions.endOthersSubmit')}
        onConfirm={async () => {
          await endOthers.mutateAsync();
          say.good(t('sessions.endedOthers'));
        }}
      >
        <Text>{t('sessions.endOthersText')}</Text>
      </ConfirmDialog>
    </Panel>
  );
}

function List({ sessions }: { sessions: Session[] }) {
  const { t } = useTranslation('security');
  const many = new Set(sessions.map((session) => session.account_name)).size > 1;
  return (
    <Table
      caption={t('sessions.title')}
      rows={[...sessions].sort((a, b) => Number(b.current) - Number(a.current))}
      rowKey={(session) => session.id}
      columns={[
        {
          key: 'device',
          label: t('sessions.browser'),
          main: true,
          cell: (session) => (
            <span className={css.device}>
              <DeviceName session={session} />
              {session.current && <Badge tone="good">{t('sessions.current')}</Badge>}
              <span className={css.under}>
                {session.address ? <bdi>{session.address}</bdi> : t('sessions.noAddress')}
                {many && (
                  <>
                    {' · '}
                    <UserText>{session.account_name}</UserText>
                  </>
                )}
              </span>
            </span>
          ),
        },
        {
          key: 'seen',
          label: t('sessions.seen'),
          cell: (session) => <When at={session.seen_at} />,
        },
        {
          key: 'since',
          label: t('sessions.since'),
          cell: (session) => <When at={session.created_at} />,
        },
        {
          key: 'end',
          label: '',
          align: 'end',
          cell: (session) => !session.current && <End session={session} />,
        },
      ]}
    />
  );
}

const DeviceName = ({ session }: { session: Session }) => (
  <UserText>{useDeviceName(session)}</UserText>
);

/** A name for where a session is. */
function useDeviceName({ agent }: Session): string {
  const { t } = useTranslation('security');
  const { browser, system, other } = device(agent);
  if (browser && system) return t('sessions.device', { browser, system });
  return clean(other ?? '') || t('sessions.unknown');
}

function End({ session }: { session: Session }) {
  const { t } = useTranslation('security');
  const say = useSay();
  const end = useEndSession();
  const name = useDeviceName(session);
  return (
    <Button
      variant="default"
      loading={end.isPending}
      aria-label={t('sessions.endLabel', { device: name })}
      onClick={() =>
        end.mutate(session.id, {
          onSuccess: () => say.good(t('sessions.ended')),
          onError: say.bad,
        })
      }
    >
      {t('sessions.end')}
    </Button>
  );
}

/** Ends what everybody has open in this account. */
function Everywhere() {
  const { t } = useTranslation('security');
  const { account } = useMember();
  const [asking, setAsking] = useState(false);
  const signOut = useSignEveryoneOut();
  const leave = useLeave();
  return (
    <>
      <Panel
        title={t('everywhere.title')}
        intro={t('everywhere.text')}
        tone="bad"
        actions={
          <Button color="clay" variant="outline" onClick={() => setAsking(true)}>
            {t('everywhere.button')}
          </Button>
        }
      />
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('everywhere.question', { account: clean(account.name) })}
        confirmLabel={t('everywhere.submit')}
        danger
        onConfirm={async () => {
          await signOut.mutateAsync();
          leave();
        }}
      >
        <Lines lines={[t('everywhere.sessions'), t('everywhere.jwts'), t('everywhere.stays')]} />
      </ConfirmDialog>
    </>
  );
}
