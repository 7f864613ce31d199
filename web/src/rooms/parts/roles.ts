import type { Role } from '@/api/types';

/** From most to least. */
export const ROLES: Role[] = ['owner', 'admin', 'developer', 'viewer'];

/** Roles that somebody of this role may give and take: only owners make and unmake owners. */
export const givenBy = (role: Role): Role[] => {
  if (role === 'owner') return ROLES;
  return role === 'admin' ? ROLES.filter((one) => one !== 'owner') : [];
};
