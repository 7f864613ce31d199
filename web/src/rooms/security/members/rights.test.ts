import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { givenBy, ROLES } from '../../parts/roles';
import { RIGHTS } from './rights';

/** What the program says of itself. Tests run in the folder of the dashboard. */
const matrix = readFileSync('../docs/access-matrix.md', 'utf8');

/** The calls of the dashboard that each line of the page's table is about. */
const CALLS: Record<string, string[]> = {
  seeInstances: ['GET /dashboard/api/instances', 'GET /dashboard/api/instances/{id}'],
  ownAccess: ['POST /dashboard/api/password', 'GET /dashboard/api/sessions'],
  instances: ['POST /dashboard/api/instances', 'GET /dashboard/api/instances/{id}/qr'],
  tokens: ['POST /dashboard/api/instances/{id}/token'],
  deleteInstances: ['DELETE /dashboard/api/instances/{id}'],
  credentials: ['GET /dashboard/api/credentials', 'POST /dashboard/api/credentials'],
  members: ['POST /dashboard/api/members/invite', 'PATCH /dashboard/api/members/{uid}'],
  audit: ['GET /dashboard/api/audit'],
};

/** The least role of a call, as the program itself says it. */
function leastOf(call: string): string | undefined {
  const rows = matrix.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const row = rows.find(([, method, path]) => `${method} ${path?.replaceAll('`', '')}` === call);
  return row?.[5]?.split(' ')[0];
}

it('says of each role what the program lets it do', () => {
  for (const { key, least } of RIGHTS.filter(({ key }) => key !== 'owners')) {
    const calls = CALLS[key] ?? [];
    expect(calls, key).not.toHaveLength(0);
    for (const call of calls) expect(leastOf(call), call).toBe(least);
  }
});

it('lets nobody but owners make owners', () => {
  const makers = ROLES.filter((role) => givenBy(role).includes('owner'));
  expect(makers).toEqual(['owner']);
});
