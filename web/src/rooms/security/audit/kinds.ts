/** What the log keeps, in the order and groups of the filter. Each has its words, `.` written as `_`. */
export const GROUPS = {
  people: [
    'user.signed_in',
    'user.signed_out',
    'user.session_ended',
    'user.switched_account',
    'user.reset_asked',
    'user.password',
    'user.email_asked',
    'user.email',
    'user.second_factor_on',
    'user.second_factor_off',
    'user.recovery_codes',
    'user.operator',
    'member.invited',
    'member.withdrawn',
    'member.joined',
    'member.role',
    'member.removed',
  ],
  credentials: [
    'credential.created',
    'credential.shown',
    'credential.changed',
    'credential.rotated',
    'credential.revoked',
    'credential.first_used',
    'credential.new_network',
    'credential.signed_out',
    'token.revoked',
    'access.refused',
  ],
  instances: [
    'instance.created',
    'instance.changed',
    'instance.paired',
    'instance.logged_out',
    'instance.deleted',
    'webhook.set',
    'session.claimed',
  ],
  account: [
    'account.created',
    'account.changed',
    'billing.subscribed',
    'billing.resumed',
    'billing.canceled',
    'billing.granted',
    'billing.ended',
  ],
} as const;

export type Group = keyof typeof GROUPS;

const ALL: string[] = Object.values(GROUPS).flat();

/** The key of a kind's words; null for one that this page does not know. */
export const wordsOf = (kind: string): string | null =>
  ALL.includes(kind) ? kind.replace('.', '_') : null;

/** Colour of an entry's mark: what one looks for on bad days stands out. */
export function weight(kind: string): 'bad' | 'warn' | 'plain' {
  if (kind === 'access.refused' || kind === 'credential.new_network') return 'bad';
  return /\.(revoked|deleted|removed|role|rotated|shown|logged_out|password|email|operator|second_factor_off)$/.test(
    kind,
  ) || kind === 'credential.signed_out'
    ? 'warn'
    : 'plain';
}
