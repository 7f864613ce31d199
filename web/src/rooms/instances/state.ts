import type { Tone } from '@/ui';

/** The states of an instance, from well to unwell: also the order in which they are counted. */
export const STATES = [
  'connected',
  'connecting',
  'qr_pending',
  'disconnected',
  'logged_out',
  'blocked',
] as const;

type State = (typeof STATES)[number];

const TONES: Record<State, Tone> = {
  connected: 'good',
  connecting: 'warn',
  qr_pending: 'accent',
  disconnected: 'idle',
  logged_out: 'warn',
  blocked: 'bad',
};

/** Why an instance stands as it does; for each there is a text. */
export const REASONS = [
  'disconnected_by_owner',
  'qr_expired',
  'logged_out_by_phone',
  'logged_out_by_owner',
  'connection_lost',
  'stream_replaced',
  'temporary_ban',
  'account_locked',
  'client_outdated',
  'connect_failure',
  'starting',
  'unpaid',
] as const;

type Reason = (typeof REASONS)[number];

const known = <T extends string>(list: readonly T[], text: string | null): T | null =>
  list.find((one) => one === text) ?? null;

/**
 * What to say of a state. A disconnected instance that no phone is linked to was never connected, or
 * is not any more. A state that a newer gateway knows and this page does not is `unknown`.
 */
export function standing(
  state: string,
  paired = true,
): { key: State | 'not_linked' | 'unknown'; tone: Tone; moving: boolean } {
  const key = known(STATES, state);
  if (!key) return { key: 'unknown', tone: 'idle', moving: false };
  if (key === 'disconnected' && !paired) return { key: 'not_linked', tone: 'idle', moving: false };
  return { key, tone: TONES[key], moving: key === 'connecting' || key === 'qr_pending' };
}

export const knownReason = (reason: string | null): Reason | null => known(REASONS, reason);
