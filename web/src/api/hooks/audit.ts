import { useInfiniteQuery } from '@tanstack/react-query';
import { api } from '../client';
import type { AuditPage } from '../types';

const PAGE = 30;

/** Newest first, page by page. `kind` is one of the log's kinds, or null for all. */
export const useAudit = (kind: string | null) =>
  useInfiniteQuery({
    queryKey: ['audit', kind],
    queryFn: ({ signal, pageParam }) => {
      const ask = new URLSearchParams({ limit: String(PAGE) });
      if (kind) ask.set('kind', kind);
      if (pageParam) ask.set('before', pageParam);
      return api.get<AuditPage>(`/audit?${ask}`, { signal });
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
