import { useGateway } from '@/api/hooks/state';

/** The gateway's address as callers type it, without a slash at the end. */
export function useAddress(): string {
  const { data } = useGateway();
  return (data?.public_url ?? window.location.origin).replace(/\/+$/, '');
}

/** Where virtual phones are made; nothing outside the sandbox. */
export const useSandboxAddress = (): string | null => useGateway().data?.sandbox_url ?? null;

/** Letters are files that somebody has to hand over. */
export const useMailIsFile = (): boolean => useGateway().data?.mail === 'file';
