import { Suspense, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Redirect, Route, Switch } from 'wouter';
import type { Role } from '@/api/types';
import { may, useMember } from '@/session/member';
import { Loading, Note, Page } from '@/ui';
import { AuditPart } from './audit/AuditPart';
import { CredentialsPart } from './credentials/CredentialsPart';
import { FactorPart } from './access/FactorPart';
import { PasswordPart } from './access/PasswordPart';
import { SessionsPart } from './access/SessionsPart';
import { MembersPart } from './members/MembersPart';
import { Tabs } from './Tabs';

type Part = {
  path: string;
  label: string;
  /** Who has something to do there. */
  least: Role;
  part: () => ReactNode;
};

/** Everything that lets people and programs in, each part under an address of its own. */
export default function SecurityRoom() {
  const { t } = useTranslation('security');
  const { role } = useMember().account;
  const parts: Part[] = [
    {
      path: 'credentials',
      label: t('tabs.credentials'),
      least: 'developer',
      part: CredentialsPart,
    },
    { path: 'sessions', label: t('tabs.sessions'), least: 'viewer', part: SessionsPart },
    { path: 'second-factor', label: t('tabs.secondFactor'), least: 'viewer', part: FactorPart },
    { path: 'password', label: t('tabs.password'), least: 'viewer', part: PasswordPart },
    { path: 'members', label: t('tabs.members'), least: 'viewer', part: MembersPart },
    { path: 'audit', label: t('tabs.audit'), least: 'admin', part: AuditPart },
  ];
  const open = parts.filter(({ least }) => may(role, least));
  const first = `/security/${open[0]?.path}`;

  return (
    <Switch>
      {parts.map(({ path, label, least, part: Part }) => (
        <Route key={path} path={`/security/${path}`}>
          <Page title={`${label} · ${t('title')}`} heading={t('title')} intro={t('intro')}>
            <Tabs label={t('tabs.label')} tabs={open} />
            {may(role, least) ? (
              <Suspense fallback={<Loading />}>
                <Part />
              </Suspense>
            ) : (
              <Note>{t('role.admin')}</Note>
            )}
          </Page>
        </Route>
      ))}
      <Route>
        <Redirect to={first} replace />
      </Route>
    </Switch>
  );
}
