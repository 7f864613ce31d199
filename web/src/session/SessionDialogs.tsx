import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { setGate } from '@/api/client';
import type { Me } from '@/api/types';
import { ProofDialog } from './ProofDialog';
import { SignInDialog } from './SignInDialog';
import { useLeave } from './leave';

type Answer = (done: boolean) => void;

/** The two dialogs that any call may need, over whatever page is open (see `api/client`). */
export function SessionDialogs({ me }: { me: Me }) {
  const cache = useQueryClient();
  const leave = useLeave();
  const [path] = useLocation();
  const [open, setOpen] = useState({ signIn: false, prove: false });
  const answers = useRef<{ signIn?: Answer; prove?: Answer }>({});

  const answer = useCallback((what: 'signIn' | 'prove', done: boolean) => {
    setOpen((now) => ({ ...now, [what]: false }));
    answers.current[what]?.(done);
    delete answers.current[what];
  }, []);

  useEffect(() => {
    const waiting = answers.current;
    const ask = (what: 'signIn' | 'prove') =>
      new Promise<boolean>((resolve) => {
        waiting[what] = resolve;
        setOpen((now) => ({ ...now, [what]: true }));
      });
    const take = setGate({ signIn: () => ask('signIn'), prove: () => ask('prove') });
    return () => {
      take();
      waiting.signIn?.(false);
      waiting.prove?.(false);
    };
  }, []);

  return (
    <>
      <ProofDialog me={me} opened={open.prove} onAnswer={(done) => answer('prove', done)} />
      <SignInDialog
        me={me}
        opened={open.signIn}
        onDone={() => {
          answer('signIn', true);
          void cache.invalidateQueries();
        }}
        onLeave={() => {
          answer('signIn', false);
          leave(path);
        }}
      />
    </>
  );
}
