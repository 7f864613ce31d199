import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';
import { useLocation } from 'wouter';
import { api, isApiError } from '@/api/client';
import { ME } from '@/api/hooks/session';
import type { Me } from '@/api/types';
import { useLeave } from './leave';
import { hear } from './tabs';

/**
 * Looks whether the page still shows whose session it is: when another tab signed in, switched or
 * signed out, and when the tab comes to the front. That it does not is told by `api/client`.
 * `onSame`: after a word of another tab, somebody is signed in and it is who is shown.
 */
export function Watch({ onSame }: { onSame: () => void }) {
  const cache = useQueryClient();
  const leave = useLeave();
  const [path] = useLocation();

  const look = useCallback(async () => {
    try {
      cache.setQueryData(ME, await api.get<Me>('/me', { plain: true }));
      onSame();
    } catch (error) {
      if (isApiError(error, 'unauthorized')) leave(path, true);
    }
  }, [cache, leave, onSame, path]);

  useEffect(() => hear(() => void look()), [look]);
  useEffect(() => {
    const front = () => {
      if (document.visibilityState !== 'visible') return;
      void cache.refetchQueries({ queryKey: ME, exact: true }, { cancelRefetch: false });
    };
    // A page that the browser kept comes back as it was.
    const back = ({ persisted }: PageTransitionEvent) => persisted && front();
    document.addEventListener('visibilitychange', front);
    window.addEventListener('focus', front);
    window.addEventListener('pageshow', back);
    return () => {
      document.removeEventListener('visibilitychange', front);
      window.removeEventListener('focus', front);
      window.removeEventListener('pageshow', back);
    };
  }, [cache]);
  return null;
}
