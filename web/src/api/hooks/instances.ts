import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, isApiError } from '../client';
import type { Instance, Instances, PairCode, Qr, Revealed } from '../types';

export const INSTANCES = ['instances'];
const one = (id: string) => ['instance', id];

/** How often a page that somebody looks at asks how instances stand; a hidden one does not ask. */
const EVERY_MS = 2_500;
const EVERY_MS_ON_A_CODE = 1_500;
const EVERY_MS_ON_TROUBLE = 5_000;
export const PAGE_SIZE = 20;

const at = (id: string, rest = '') => `/instances/${encodeURIComponent(id)}${rest}`;

export function useInstances(page: number, query: string) {
  return useQuery({
    queryKey: [...INSTANCES, page, query],
    queryFn: ({ signal }) => {
      const ask = new URLSearchParams({ page: String(page), size: String(PAGE_SIZE) });
      if (query) ask.set('query', query);
      return api.get<Instances>(`/instances?${ask}`, { signal });
    },
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
  });
}

export function useInstance(id: string) {
  return useQuery({
    queryKey: one(id),
    queryFn: ({ signal }) => api.get<Instance>(at(id), { signal }),
    // One that is gone stays gone.
    refetchInterval: (query) => (query.state.status === 'error' ? false : EVERY_MS),
  });
}

/**
 * The pairing code as a picture, while `active`. Asking starts pairing and reconnects what is paired,
 * so nothing asks unless a person wants it.
 */
export function useQr(id: string, active: boolean) {
  return useQuery({
    queryKey: [...one(id), 'qr'],
    queryFn: ({ signal }) => api.get<Qr>(at(id, '/qr'), { signal }),
    enabled: active,
    refetchInterval: ({ state: { data, error } }) => {
      // Over, or refused for a reason that asking again does not change.
      if (data?.status === 'connected' || data?.status === 'expired') return false;
      if (isApiError(error) && error.status >= 400 && error.status < 500) return false;
      return error ? EVERY_MS_ON_TROUBLE : EVERY_MS_ON_A_CODE;
    },
    staleTime: 0,
    // It pairs whoever reads it: gone with the panel that shows it.
    gcTime: 0,
  });
}

export function useCreateInstance() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => api.post<Instance>('/instances', { name }),
    onSuccess: (made) => {
      cache.setQueryData(one(made.id), made);
      return cache.invalidateQueries({ queryKey: INSTANCES });
    },
  });
}

export const usePairCode = (id: string) =>
  useMutation({
    mutationFn: (phone: string) => api.post<PairCode>(at(id, '/pair-code'), { phone }),
  });

export function useReconnect(id: string) {
  const refresh = useRefresh(id);
  return useMutation({ mutationFn: () => api.get<Qr>(at(id, '/qr')), onSuccess: refresh });
}

export function useDisconnect(id: string) {
  const refresh = useRefresh(id);
  return useMutation({ mutationFn: () => api.post(at(id, '/disconnect')), onSuccess: refresh });
}

export const useInstanceToken = (id: string) =>
  useMutation({ mutationFn: () => api.post<Revealed>(at(id, '/token')) });

export function useDeleteInstance(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete(at(id)),
    // The page of the instance must not ask for it again before it is left.
    onSuccess: () => cache.invalidateQueries({ queryKey: INSTANCES }),
  });
}

/** The instance and the list, as they are now. */
export function useRefresh(id: string) {
  const cache = useQueryClient();
  return () =>
    Promise.all([
      cache.invalidateQueries({ queryKey: one(id), exact: true }),
      cache.invalidateQueries({ queryKey: INSTANCES }),
    ]);
}
