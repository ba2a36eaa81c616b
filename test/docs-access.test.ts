// docs/access.md against the permissions and the roles that the server has.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PERMISSIONS, ROLE_NAMES, rightsOfRole } from '../packages/server/src/access/roles.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../docs/access.md'), 'utf8');

/** Permission → the roles that its row names; two permissions of a row have their roles in order. */
function rowsOf(page: string): ReadonlyMap<string, readonly string[]> {
  const section = page.split(/^### /m).find((part) => part.startsWith('Permissions')) ?? '';
  const rows = [...section.matchAll(/^\| (`[a-z.`, ]+`) \|[^|]*\|([^|]*)\|$/gm)];
  return new Map(
    rows.flatMap(([, names = '', cell = '']) => {
      const cells = cell.split(';');
      return [...names.matchAll(/`([a-z.]+)`/g)].map(([, name = ''], index) => {
        const roles = (cells[index] ?? '').split(',').map((role) => role.trim());
        return [name, roles.includes('all') ? [...ROLE_NAMES] : roles] as const;
      });
    }),
  );
}

test('the page lists every permission, and no other', () => {
  assert.deepEqual([...rowsOf(PAGE).keys()].sort(), [...PERMISSIONS].sort());
});

for (const permission of PERMISSIONS) {
  test(`the page says who has ${permission}`, () => {
    assert.deepEqual(
      [...(rowsOf(PAGE).get(permission) ?? [])].sort(),
      ROLE_NAMES.filter((role) => rightsOfRole(role).permissions.has(permission)).sort(),
    );
  });
}
