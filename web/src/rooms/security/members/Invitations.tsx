import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useWithdraw } from '@/api/hooks/members';
import type { Invitation } from '@/api/types';
import { clean, ConfirmDialog, Panel, Table, useSay, UserText, When } from '@/ui';

/** Invitations that nobody has taken up yet. */
export function Invitations({ invitations }: { invitations: Invitation[] }) {
  const { t } = useTranslation('members');
  return (
    <Panel title={t('pending.title')} intro={t('pending.text')} flush>
      <Table
        caption={t('pending.title')}
        rows={invitations}
        rowKey={(invitation) => invitation.id}
        columns={[
          {
            key: 'who',
            label: t('who'),
            main: true,
            cell: (invitation) => <UserText>{invitation.email}</UserText>,
          },
          { key: 'role', label: t('roleLabel'), cell: ({ role }) => t(`role.${role}`) },
          {
            key: 'until',
            label: t('pending.until'),
            cell: (invitation) => <When at={invitation.expires_at} />,
          },
          {
            key: 'end',
            label: '',
            align: 'end',
            cell: (invitation) => <Withdraw invitation={invitation} />,
          },
        ]}
      />
    </Panel>
  );
}

function Withdraw({ invitation }: { invitation: Invitation }) {
  const { t } = useTranslation('members');
  const say = useSay();
  const [asking, setAsking] = useState(false);
  const withdraw = useWithdraw();
  const email = clean(invitation.email);
  return (
    <>
      <Button
        variant="default"
        aria-label={t('pending.withdrawLabel', { email })}
        onClick={() => setAsking(true)}
      >
        {t('pending.withdraw')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('pending.question')}
        confirmLabel={t('pending.withdraw')}
        onConfirm={async () => {
          await withdraw.mutateAsync(invitation.id);
          say.good(t('pending.done'));
        }}
      >
        <Text>{t('pending.withdrawText', { email })}</Text>
      </ConfirmDialog>
    </>
  );
}
