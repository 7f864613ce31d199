import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../client';
import type { Invited, Language, Members, Role } from '../types';
import { ME } from './session';

const MEMBERS = ['members'];

const at = (id: string) => `/members/${encodeURIComponent(id)}`;

export const useMembers = (enabled = true) =>
  useQuery({
    queryKey: MEMBERS,
    queryFn: ({ signal }) => api.get<Members>('/members', { signal }),
    enabled,
  });

function useChange<Request, Answer>(mutationFn: (request: Request) => Promise<Answer>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => cache.invalidateQueries({ queryKey: MEMBERS }),
  });
}

export type Invite = { email: string; role: Role; language: Language };

export const useInvite = () =>
  useChange((invite: Invite) => api.post<Invited>('/members/invite', invite));

export const useWithdraw = () =>
  useChange((id: string) => api.delete(`/members/invitations/${encodeURIComponent(id)}`));

export function useChangeRole() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ user, role }: { user: string; role: Role }) => api.patch(at(user), { role }),
    // One's own role may be the one that changed.
    onSuccess: () =>
      Promise.all([MEMBERS, ME].map((queryKey) => cache.invalidateQueries({ queryKey }))),
  });
}

export const useRemoveMember = () => useChange((user: string) => api.delete(at(user)));

/** Leaves the account that one is in. What one may see afterwards is another page. */
export const useLeave = () => useMutation({ mutationFn: (user: string) => api.delete(at(user)) });
