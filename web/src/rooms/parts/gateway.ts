import { useGateway } from '@/api/hooks/state';

/** The gateway's address as callers type it, without a slash at the end. */
export function useAddress(): string {
  const { data } = useGateway();
  return (data?.public_url ?? window.location.origin).replace(/\/+$/, '');
}

export const useSandbox = (): boolean => useGateway().data?.network === 'sandbox';

/** Letters are files that somebody has to hand over. */
export const useMailIsFile = (): boolean => useGateway().data?.mail === 'file';
