import { Button, Select, Text } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChangeRole, useLeave as useLeaveAccount, useRemoveMember } from '@/api/hooks/members';
import type { Member, Role } from '@/api/types';
import { useLeave } from '@/session/leave';
import { useMember } from '@/session/member';
import { Badge, clean, ConfirmDialog, Table, useSay, UserText, When } from '@/ui';
import { Lines } from '../../parts/Advice';
import { givenBy } from '../../parts/roles';
import css from './Members.module.css';

export function MemberTable({ members }: { members: Member[] }) {
  const { t } = useTranslation('members');
  const lastOwner = members.filter(({ role }) => role === 'owner').length === 1;
  const isLast = (member: Member) => member.role === 'owner' && lastOwner;
  return (
    <Table
      caption={t('title')}
      rows={members}
      rowKey={(member) => member.user_id}
      columns={[
        {
          key: 'who',
          label: t('who'),
          main: true,
          cell: (member) => (
            <span className={css.who}>
              <UserText>{member.email}</UserText>
              {member.you && <Badge tone="accent">{t('you')}</Badge>}
              <span className={css.under} data-good={member.second_factor || undefined}>
                {member.second_factor && <IconShieldCheck size={15} aria-hidden />}
                {member.second_factor ? t('secondFactor') : t('noSecondFactor')}
              </span>
            </span>
          ),
        },
        {
          key: 'role',
          label: t('roleLabel'),
          cell: (member) => <RoleCell member={member} last={isLast(member)} />,
        },
        {
          key: 'since',
          label: t('since'),
          cell: (member) => (
            <span className={css.since}>
              <When at={member.created_at} />
            </span>
          ),
        },
        {
          key: 'end',
          label: '',
          align: 'end',
          cell: (member) => <End member={member} last={isLast(member)} />,
        },
      ]}
    />
  );
}

/** The role, to be changed where one may. */
function RoleCell({ member, last }: { member: Member; last: boolean }) {
  const { t } = useTranslation('members');
  const say = useSay();
  const { account } = useMember();
  const [next, setNext] = useState<Role | null>(null);
  const change = useChangeRole();
  const given = givenBy(account.role);
  if (!given.includes(member.role) || last) {
    return t(`role.${member.role}`);
  }
  return (
    <>
      <Select
        size="sm"
        w={150}
        aria-label={t('roleOf', { email: clean(member.email) })}
        data={given.map((role) => ({ value: role, label: t(`role.${role}`) }))}
        value={member.role}
        disabled={change.isPending}
        onChange={(role) => {
          if (role && role !== member.role) setNext(role as Role);
        }}
      />
      <ConfirmDialog
        opened={next !== null}
        onClose={() => setNext(null)}
        title={t('change.title')}
        confirmLabel={t('change.submit')}
        onConfirm={async () => {
          if (!next) return;
          await change.mutateAsync({ user: member.user_id, role: next });
          say.good(t('change.done'));
        }}
      >
        {next && (
          <>
            <Text>
              {member.you
                ? t('change.own', { role: t(`role.${next}`) })
                : t('change.text', { email: clean(member.email), role: t(`role.${next}`) })}
            </Text>
            <Text c="dimmed" mt="xs">
              {t(`roleText.${next}`)}
            </Text>
          </>
        )}
      </ConfirmDialog>
    </>
  );
}

/** Removing others, leaving oneself. */
function End({ member, last }: { member: Member; last: boolean }) {
  const { account } = useMember();
  if (member.you) return <Leave member={member} last={last} />;
  return givenBy(account.role).includes(member.role) && <Remove member={member} />;
}

function Leave({ member, last }: { member: Member; last: boolean }) {
  const { t } = useTranslation('members');
  const { account } = useMember();
  const [asking, setAsking] = useState(false);
  const leaveAccount = useLeaveAccount();
  const leave = useLeave();
  if (last) return <span className={css.last}>{t('leave.last')}</span>;
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        {t('leave.button')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('leave.title', { account: clean(account.name) })}
        confirmLabel={t('leave.submit')}
        danger
        onConfirm={async () => {
          await leaveAccount.mutateAsync(member.user_id);
          leave();
        }}
      >
        <Text>{t('leave.text')}</Text>
      </ConfirmDialog>
    </>
  );
}

function Remove({ member }: { member: Member }) {
  const { t } = useTranslation('members');
  const say = useSay();
  const [asking, setAsking] = useState(false);
  const remove = useRemoveMember();
  const email = clean(member.email);
  return (
    <>
      <Button
        variant="default"
        aria-label={t('remove.label', { email })}
        onClick={() => setAsking(true)}
      >
        {t('remove.button')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('remove.title', { email })}
        confirmLabel={t('remove.submit')}
        danger
        onConfirm={async () => {
          await remove.mutateAsync(member.user_id);
          say.good(t('remove.done', { email }));
        }}
      >
        <Lines lines={[t('remove.sessions'), t('remove.credentials')]} />
      </ConfirmDialog>
    </>
  );
}
