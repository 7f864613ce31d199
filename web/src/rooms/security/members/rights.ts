import type { Role } from '@/api/types';

/** What each role may do: the least role of each thing. A test compares it with docs/access-matrix.md. */
export const RIGHTS = [
  { key: 'seeInstances', least: 'viewer' },
  { key: 'ownAccess', least: 'viewer' },
  { key: 'instances', least: 'developer' },
  { key: 'tokens', least: 'developer' },
  { key: 'deleteInstances', least: 'admin' },
  { key: 'credentials', least: 'admin' },
  { key: 'members', least: 'admin' },
  { key: 'audit', least: 'admin' },
  { key: 'owners', least: 'owner' },
] as const satisfies { key: string; least: Role }[];
