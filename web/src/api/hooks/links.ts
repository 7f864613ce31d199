import { useMutation } from '@tanstack/react-query';
import { tell } from '@/session/tabs';
import { api } from '../client';
import type { Language, Link, LinkUse } from '../types';

/** A token never becomes a query key: what it opens is asked for by a mutation. */
export const useLookAtLink = () =>
  useMutation({ mutationFn: (token: string) => api.post<Link>('/links/look', { token }, plain) });

export const useTakeLink = () =>
  useMutation({
    mutationFn: (request: LinkUse) =>
      api.post<{ signed_in: boolean }>('/links/use', request, plain),
    // A new password ends sessions, too.
    onSuccess: ({ signed_in }) => tell(signed_in ? 'in' : 'out'),
  });

type Letter = { email: string; language: Language; turnstile_token?: string };

export const useAskForReset = () =>
  useMutation({ mutationFn: (request: Letter) => api.post<object>('/reset', request, plain) });

export const useAskForSignUp = () =>
  useMutation({
    mutationFn: (request: Letter) => api.post<object>('/signup', request, plain),
  });

const plain = { plain: true };
