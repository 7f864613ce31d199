import { createContext, Fragment, use, useEffect, useLayoutEffect, type ReactNode } from 'react';
import { Redirect, useLocation } from 'wouter';
import { isApiError } from '@/api/client';
import { useMe } from '@/api/hooks/session';
import { useGateway } from '@/api/hooks/state';
import { show } from '@/api/shown';
import type { Me, Role } from '@/api/types';
import { speak } from '@/i18n';
import { SetupNeeded } from '@/pages/SetupNeeded';
import { Unreachable } from '@/pages/Unreachable';
import { Loading } from '@/ui';
import { SessionDialogs } from './SessionDialogs';

const Member = createContext<Me | null>(null);

/** Who is signed in. Only below `RequireSession`. */
export function useMember(): Me {
  const me = use(Member);
  if (!me) throw new Error('useMember needs RequireSession above it');
  return me;
}

const RANK: Record<Role, number> = { viewer: 0, developer: 1, admin: 2, owner: 3 };

/** Whether `role` allows what `least` is needed for. The gateway decides; this only hides. */
export const may = (role: Role, least: Role) => RANK[role] >= RANK[least];

/** `may` for the signed-in person. */
export const useMay = (least: Role) => may(useMember().account.role, least);

/** Draws its children for somebody who is signed in, and the way there for everybody else. */
export function RequireSession({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const gateway = useGateway();
  const me = useMe();
  const spoken = me.data?.user.language;
  useEffect(() => {
    if (spoken) void speak(spoken);
  }, [spoken]);
  const user = me.data?.user.id;
  const account = me.data?.account.id;
  // Before the effects of what is drawn below, which call.
  useLayoutEffect(() => {
    if (user === undefined || account === undefined) return;
    show({ user, account });
    return () => show(null);
  }, [user, account]);

  if (me.data) {
    return (
      <Member value={me.data}>
        {/* Nothing that a page holds outlives its account. */}
        <Fragment key={`${user} ${account}`}>{children}</Fragment>
        <SessionDialogs me={me.data} />
      </Member>
    );
  }
  if (me.error && isApiError(me.error, 'unauthorized')) {
    if (gateway.data?.setup_needed) return <SetupNeeded />;
    if (!gateway.isPending) return <Redirect to={signInPath(path)} replace />;
  }
  if (me.error && !me.isFetching) {
    return <Unreachable error={me.error} onRetry={() => void me.refetch()} />;
  }
  return <Loading />;
}

/** The sign-in page that comes back to `path` afterwards. */
export const signInPath = (path: string) =>
  path === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(path)}`;

/** The `next` of an address, if it is a page of ours: never another site. */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '/';
  return /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/';
}
