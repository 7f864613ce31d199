import { Button } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMembers } from '@/api/hooks/members';
import { useMay } from '@/session/member';
import { ErrorNote, Loading, Panel } from '@/ui';
import { Invitations } from './Invitations';
import { InviteDialog } from './InviteDialog';
import { MemberTable } from './MemberTable';
import { RoleTable } from './RoleTable';

/** Who may sign in to this account, and what each may do. */
export function MembersPart() {
  const { t } = useTranslation('members');
  const [inviting, setInviting] = useState(false);
  const mayChange = useMay('admin');
  const found = useMembers();
  const data = found.data;
  return (
    <>
      <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
      {!data && !found.error && <Loading />}
      {data && (
        <Panel
          title={t('title')}
          intro={mayChange ? t('intro') : t('readOnly')}
          flush
          actions={
            mayChange && (
              <Button leftSection={<IconUserPlus size={18} />} onClick={() => setInviting(true)}>
                {t('invite')}
              </Button>
            )
          }
        >
          <MemberTable members={data.members} />
        </Panel>
      )}
      {data && data.invitations.length > 0 && <Invitations invitations={data.invitations} />}
      <RoleTable />
      <InviteDialog opened={inviting} onClose={() => setInviting(false)} />
    </>
  );
}
