import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../client';
import type { Credential, CredentialKind, Login, Revealed } from '../types';

export const CREDENTIALS = ['credentials'];

const at = (id: string, rest = '') => `/credentials/${encodeURIComponent(id)}${rest}`;

/** Oldest first. `ended`: those too that have expired or were revoked. */
export function useCredentials(kinds: CredentialKind[], ended = false, enabled = true) {
  return useQuery({
    queryKey: [...CREDENTIALS, ended],
    queryFn: ({ signal }) =>
      api.get<{ credentials: Credential[] }>(`/credentials${ended ? '?state=all' : ''}`, {
        signal,
      }),
    select: ({ credentials }) => credentials.filter(({ kind }) => kinds.includes(kind)),
    enabled,
  });
}

/** A change, after which the list is asked for again. */
function useChange<Request, Answer>(mutationFn: (request: Request) => Promise<Answer>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => cache.invalidateQueries({ queryKey: CREDENTIALS }),
  });
}

/** As the gateway answers: each value under the name that its callers use. */
type Made = Credential & {
  token?: string;
  client_token?: string;
  client_secret?: string;
  replaces?: { id: string; grace_until: string | null };
};

/** What was just made: the only answer that holds it in full. */
export type Fresh = {
  /** The token; of a rotated client secret, none. */
  token: string | null;
  /** The client secret, of a pair or alone. */
  secret: string | null;
  /** After a rotation: until when the one before works; `null` for not at all. */
  replaces: { grace_until: string | null } | null;
};

const fresh = ({ token, client_token, client_secret, replaces }: Made): Fresh => ({
  token: token ?? client_token ?? null,
  secret: client_secret ?? null,
  replaces: replaces ?? null,
});

export type NewCredential = { kind: 'client' | 'api_token'; label?: string };

export const useMakeCredential = () =>
  useChange(async (request: NewCredential) => fresh(await api.post<Made>('/credentials', request)));

/** `grace_seconds`: so long the old one works beside the new; 0 ends it at once. */
export const useRotateCredential = () =>
  useChange(async ({ id, grace_seconds }: { id: string; grace_seconds: number }) =>
    fresh(await api.post<Made>(at(id, '/rotate'), { grace_seconds })),
  );

export type CredentialChange = { id: string; label?: string | null; expires_at?: string | null };

export const useChangeCredential = () =>
  useChange(({ id, ...change }: CredentialChange) => api.patch<Credential>(at(id), change));

export const useRevokeCredential = () => useChange((id: string) => api.delete(at(id)));

export const useRevealCredential = () =>
  useMutation({ mutationFn: (id: string) => api.post<Revealed>(at(id, '/reveal')) });

/** A JWT of the person who is signed in. */
export const useToken = () => useMutation({ mutationFn: () => api.post<Login>('/token') });
