import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { tell } from '@/session/tabs';
import { api } from '../client';
import { show } from '../shown';
import type { Account, Language, Login, LoginRequest, Me } from '../types';

export const ME = ['me'];

/** Who is signed in. The first look must not open a dialog: nobody being signed in is an answer. */
export function useMe() {
  const cache = useQueryClient();
  return useQuery({
    queryKey: ME,
    queryFn: ({ signal }) =>
      api.get<Me>('/me', { signal, plain: cache.getQueryData(ME) === undefined }),
    staleTime: 30_000,
  });
}

export const useSignIn = () =>
  useMutation({
    mutationFn: (request: LoginRequest) => api.post<Login>('/login', request),
    onSuccess: () => tell('in'),
  });

export const useConfirm = () =>
  useMutation({
    mutationFn: (request: { password: string; otp?: string }) =>
      api.post<{ proven_until: string }>('/confirm', request),
  });

export function useSwitchAccount() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (account: Account) => api.post<Me>('/account/switch', { account: account.id }),
    onSuccess: (me) => {
      // Nothing of the other account may stay on the page.
      cache.removeQueries({ predicate: (query) => query.queryKey[0] !== 'state' });
      cache.setQueryData(ME, me);
      show({ account: me.account.id, user: me.user.id });
      tell('in');
    },
  });
}

/** One's own language, kept by the gateway. */
export function useOwnLanguage() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (language: Language) => api.patch<Me>('/me', { language }),
    onSuccess: (me) => cache.setQueryData(ME, me),
  });
}
