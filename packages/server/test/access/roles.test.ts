import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { covers, OPERATOR, requireRole, withinRole } from '../../src/access/actor.ts';
import {
  ACTIONS,
  mayCarry,
  PERMISSIONS,
  ROLE_NAMES,
  repositoriesOfRole,
  rightsOfRole,
} from '../../src/access/roles.ts';
import { principalOfUser } from '../../src/access/sessions.ts';
import { mayAct, type Permission, type Role } from '../../src/http/principal.ts';

// o owner, a admin, m member, v viewer, u auditor.
const TABLE: Readonly<Record<Permission, string>> = {
  'overview.read': 'oamvu',
  'decisions.read': 'oamvu',
  'record.read': 'oau',
  'record.export': 'oau',
  'streams.manage': 'oa',
  'repositories.read': 'oamv',
  'policies.read': 'oamvu',
  'policies.simulate': 'oam',
  'policies.manage': 'oa',
  'exceptions.read': 'oamvu',
  'exceptions.request': 'oam',
  'exceptions.manage': 'oa',
  'users.read': 'oau',
  'users.manage': 'oa',
  'owners.manage': 'o',
  'tokens.own': 'oamvu',
  'tokens.manage': 'oa',
  'metrics.read': 'oa',
  'node.ask': 'oa',
};
const LETTERS: Readonly<Record<Role, string>> = {
  owner: 'o',
  admin: 'a',
  member: 'm',
  viewer: 'v',
  auditor: 'u',
};
const ACTION_TABLE: Readonly<Record<Role, { readonly session: string; readonly token: string }>> = {
  owner: { session: 'pull push delete', token: 'pull push delete sign' },
  admin: { session: 'pull push delete', token: 'pull push delete sign' },
  member: { session: 'pull push', token: 'pull push sign' },
  viewer: { session: 'pull', token: 'pull' },
  auditor: { session: '', token: '' },
};

describe('roles', () => {
  for (const role of ROLE_NAMES) {
    it(`gives ${role} exactly its permissions`, () => {
      const expected = PERMISSIONS.filter((name) => TABLE[name].includes(LETTERS[role]));
      assert.deepEqual([...rightsOfRole(role).permissions].sort(), [...expected].sort());
    });

    it(`gives ${role} exactly its actions, on every repository`, () => {
      const user = { id: 'user_1', name: 'x', role, disabled: null };
      const principal = principalOfUser({ ...user, created: new Date(0), hasPassword: true });
      for (const name of ['app', 'prod/team/app']) {
        const may = ACTIONS.filter((action) => mayAct(principal, name, action));
        assert.equal(may.join(' '), ACTION_TABLE[role].session);
      }
    });

    it(`lets tokens of ${role} carry exactly these actions`, () => {
      const may = ACTIONS.filter((action) => mayCarry(role, action));
      assert.equal(may.join(' '), ACTION_TABLE[role].token);
    });
  }

  it('never has sign', () => {
    for (const role of ROLE_NAMES) {
      const actions = repositoriesOfRole(role).flatMap((scope) => scope.actions);
      assert.ok(!actions.includes('sign'), role);
    }
  });

  const order: readonly Role[] = ['owner', 'admin', 'member', 'viewer'];
  for (const one of order) {
    for (const other of order) {
      const may = order.indexOf(one) <= order.indexOf(other);
      it(`${may ? 'lets' : 'does not let'} ${one} manage ${other}`, () => {
        const permissions = rightsOfRole(one).permissions;
        const repositories = repositoriesOfRole(one);
        const actor = { ...OPERATOR, kind: 'user', user: 'u', permissions, repositories } as const;
        const manage = () => requireRole(actor, other);
        if (may) manage();
        else assert.throws(manage, { code: 'access.exceeds-rights' });
      });
    }
  }
});

describe('scopes', () => {
  it('are cut to what the role of the owner has today', () => {
    const scopes = [
      { repository: 'a/**', actions: ['pull', 'push', 'sign'] },
      { repository: 'b', actions: ['delete'] },
    ] as const;
    assert.deepEqual(withinRole(scopes, 'viewer'), [{ repository: 'a/**', actions: ['pull'] }]);
    assert.deepEqual(withinRole(scopes, 'auditor'), []);
    assert.deepEqual(withinRole(scopes, 'member'), [scopes[0]]);
  });

  const cases = [
    { name: 'the same glob', have: 'a/*', want: 'a/*', expect: true },
    { name: 'everything', have: '**', want: 'a/*', expect: true },
    {
      name: 'a wider glob, as globs are compared by text',
      have: 'a/**',
      want: 'a/*',
      expect: false,
    },
    { name: 'a narrower glob', have: 'a/*', want: 'a/**', expect: false },
    { name: 'everything from one repository', have: 'a', want: '**', expect: false },
  ] as const;
  for (const { name, have, want, expect } of cases) {
    it(`${expect ? 'are' : 'are not'} covered by ${name}`, () => {
      const actor = {
        ...OPERATOR,
        repositories: [{ repository: have, actions: ['pull'] }],
      } as const;
      assert.equal(covers(actor, { repository: want, actions: ['pull'] }), expect);
      assert.equal(covers(actor, { repository: want, actions: ['pull', 'push'] }), false);
    });
  }
});
