import type { Credential } from '@/api/types';

/** A client token with its secrets: the newest that works, and predecessors in their grace. */
export type Pair = { token: Credential; secret: Credential | null; old: Credential[] };

const newest = (a: Credential, b: Credential) => b.created_at.localeCompare(a.created_at);

/** Newest pair first; those that have ended last. */
export function pairs(credentials: Credential[]): Pair[] {
  const secrets = credentials.filter(({ kind }) => kind === 'client_secret').sort(newest);
  const over = (pair: Pair) => (ended(pair.token) ? 1 : 0);
  return credentials
    .filter(({ kind }) => kind === 'client_token')
    .sort(newest)
    .map((token) => {
      const own = secrets.filter(({ parent_id }) => parent_id === token.id);
      // The secret of a pair that is being replaced is in its grace, too.
      const secret =
        own.find(({ grace_until, state }) => state === 'live' || !grace_until) ?? own[0];
      return {
        token,
        secret: secret ?? null,
        old: own.filter((one) => one !== secret && one.state === 'grace'),
      };
    })
    .sort((a, b) => over(a) - over(b));
}

export const ended = ({ state }: Credential) => state === 'expired' || state === 'revoked';
