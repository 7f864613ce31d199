/** One's own access: sessions, password, e-mail, second factor; and the account as a whole. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../client';
import type { Language, Me, RecoveryCodes, SecondFactorStart, Session } from '../types';
import { ME } from './session';

const SESSIONS = ['sessions'];

export const useSessions = () =>
  useQuery({
    queryKey: SESSIONS,
    queryFn: ({ signal }) => api.get<{ sessions: Session[] }>('/sessions', { signal }),
  });

/** A change, after which what hangs on it is asked for again. */
function useChange<Request, Answer>(
  mutationFn: (request: Request) => Promise<Answer>,
  ...stale: string[][]
) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => Promise.all(stale.map((queryKey) => cache.invalidateQueries({ queryKey }))),
  });
}

export const useEndSession = () =>
  useChange((id: string) => api.delete(`/sessions/${encodeURIComponent(id)}`), SESSIONS);

export const useEndOtherSessions = () =>
  useChange(() => api.post('/sessions/end-others'), SESSIONS);

export const useChangePassword = () =>
  useChange((password: string) => api.post('/password', { password }), SESSIONS, ME);

/** Sends a letter; the address changes when its link is opened. */
export const useChangeEmail = () =>
  useMutation({ mutationFn: (email: string) => api.post('/email', { email }) });

export const useBeginSecondFactor = () =>
  useMutation({ mutationFn: () => api.post<SecondFactorStart>('/second-factor') });

export const useConfirmSecondFactor = () =>
  useChange((otp: string) => api.post<RecoveryCodes>('/second-factor/confirm', { otp }), ME);

export const useTurnOffSecondFactor = () => useChange(() => api.delete('/second-factor'), ME);

export const useNewRecoveryCodes = () =>
  useChange(() => api.post<RecoveryCodes>('/second-factor/recovery-codes'), ME);

export function useChangeAccount() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (change: { name?: string; language?: Language }) =>
      api.patch<Me>('/account', change),
    onSuccess: (me) => cache.setQueryData(ME, me),
  });
}

/** Ends every session and every JWT of the account, one's own among them. */
export const useSignEveryoneOut = () =>
  useMutation({ mutationFn: () => api.post('/account/sign-out') });
