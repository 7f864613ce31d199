import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useLocation } from 'wouter';
import { show } from '@/api/shown';
import { signInPath } from './member';
import { tell } from './tabs';

/**
 * Forgets who was signed in and shows the sign-in page, that comes back to `next` afterwards.
 * For whatever has ended the session: call it after the gateway has done so. `told`: another tab was
 * it, and all know already.
 */
export function useLeave() {
  const cache = useQueryClient();
  const [, navigate] = useLocation();
  return useCallback(
    (next = '/', told = false) => {
      if (!told) tell('out');
      show(null);
      navigate(signInPath(next), { replace: true });
      // After the page that reads it is gone, so that it does not ask again.
      setTimeout(() => cache.removeQueries({ predicate: (query) => query.queryKey[0] !== 'state' }));
    },
    [cache, navigate],
  );
}
