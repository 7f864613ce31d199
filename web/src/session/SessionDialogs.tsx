import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { setGate } from '@/api/client';
import type { Me } from '@/api/types';
import { ProofDialog } from './ProofDialog';
import { SignInDialog } from './SignInDialog';
import { Watch } from './Watch';
import { useLeave } from './leave';
import { startAnew } from './moved';

type Answer = (done: boolean) => void;

/** The two dialogs that any call may need, over whatever page is open, and what happens when the page
 * shows somebody whose session it is not any more (see `api/client`). */
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

  const name = useRef(me.account.name);
  useEffect(() => {
    name.current = me.account.name;
  }, [me.account.name]);

  useEffect(() => {
    const waiting = answers.current;
    const ask = (what: 'signIn' | 'prove') =>
      new Promise<boolean>((resolve) => {
        waiting[what] = resolve;
        setOpen((now) => ({ ...now, [what]: true }));
      });
    const take = setGate({
      signIn: () => ask('signIn'),
      prove: () => ask('prove'),
      moved: () => startAnew(name.current),
    });
    return () => {
      take();
      waiting.signIn?.(false);
      waiting.prove?.(false);
    };
  }, []);

  // The same person has signed in again, in another tab.
  const same = useCallback(() => answer('signIn', true), [answer]);

  return (
    <>
      <Watch onSame={same} />
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
