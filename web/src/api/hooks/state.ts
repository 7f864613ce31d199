import { useQuery } from '@tanstack/react-query';
import { api } from '../client';
import type { State } from '../types';

/** The program itself: version, network, whether it has been set up. */
export const useGateway = () =>
  useQuery({
    queryKey: ['state'],
    queryFn: ({ signal }) => api.get<State>('/state', { signal }),
    staleTime: 60_000,
  });
