/** The cache of what the gateway answered. No secret ever goes in: those live in a dialog's state. */
import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './client';

/** A refusal stays a refusal; silence and the gateway's own faults are worth two more tries. */
const worthRetrying = (failures: number, error: Error) =>
  failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 5_000, retry: worthRetrying, networkMode: 'always' },
    // What a mutation answered may hold a secret: it is forgotten with the dialog that shows it.
    mutations: { retry: false, networkMode: 'always', gcTime: 0 },
  },
});
