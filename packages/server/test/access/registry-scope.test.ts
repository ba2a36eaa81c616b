import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatScopes, parseScopeParameters } from '../../src/access/registry-scope.ts';

describe('the scopes of a token request', () => {
  const cases: readonly {
    readonly name: string;
    readonly parameters: readonly string[];
    readonly expect: string | 'malformed';
  }[] = [
    { name: 'none', parameters: [], expect: '' },
    { name: 'an empty one', parameters: [''], expect: '' },
    { name: 'pull', parameters: ['repository:app:pull'], expect: 'repository:app:pull' },
    {
      name: 'several actions',
      parameters: ['repository:app:pull,push'],
      expect: 'repository:app:pull,push',
    },
    {
      name: 'a name with slashes',
      parameters: ['repository:a/b-c/d_e/f__g:pull'],
      expect: 'repository:a/b-c/d_e/f__g:pull',
    },
    {
      name: 'several parameters',
      parameters: ['repository:a:pull', 'repository:b:push'],
      expect: 'repository:a:pull repository:b:push',
    },
    {
      name: 'several in one parameter',
      parameters: ['repository:a:pull repository:b:push'],
      expect: 'repository:a:pull repository:b:push',
    },
    {
      name: 'one name twice',
      parameters: ['repository:a:pull', 'repository:a:push,pull'],
      expect: 'repository:a:pull,push',
    },
    {
      name: 'the star, which is no sign',
      parameters: ['repository:a:*'],
      expect: 'repository:a:pull,push,delete',
    },
    { name: 'sign', parameters: ['repository:a:pull,sign'], expect: 'repository:a:pull,sign' },
    {
      name: 'a class, which is ignored',
      parameters: ['repository(plugin):a:pull'],
      expect: 'repository:a:pull',
    },
    { name: 'the catalogue', parameters: ['registry:catalog:*'], expect: 'registry:catalog:*' },
    { name: 'the catalogue by another action', parameters: ['registry:catalog:pull'], expect: '' },
    { name: 'another type', parameters: ['volume:a:pull'], expect: '' },
    { name: 'another action', parameters: ['repository:a:fly'], expect: '' },
    { name: 'no action', parameters: ['repository:a:'], expect: '' },
    {
      name: 'a host and port in the name',
      parameters: ['repository:Host.example:5000/a:pull'],
      expect: '',
    },
    { name: 'upper case in the name', parameters: ['repository:APP:pull'], expect: 'malformed' },
    { name: 'no name', parameters: ['repository::pull'], expect: 'malformed' },
    { name: 'two parts', parameters: ['repository:app'], expect: 'malformed' },
    { name: 'one part', parameters: ['pull'], expect: 'malformed' },
    { name: 'four parts', parameters: ['repository:a:pull:push'], expect: 'malformed' },
    { name: 'a glob', parameters: ['repository:**:pull'], expect: 'malformed' },
    { name: 'a glob in a name', parameters: ['repository:a/*:pull'], expect: 'malformed' },
    { name: 'a path that climbs', parameters: ['repository:a/../b:pull'], expect: 'malformed' },
    { name: 'an empty component', parameters: ['repository:a//b:pull'], expect: 'malformed' },
    { name: 'a slash at the end', parameters: ['repository:a/:pull'], expect: 'malformed' },
    { name: 'a line feed', parameters: ['repository:a:pull\n'], expect: 'malformed' },
    { name: 'a quote', parameters: ['repository:a":pull'], expect: 'malformed' },
    {
      name: '512 characters',
      parameters: [`repository:${'a'.repeat(496)}:pull`],
      expect: `repository:${'a'.repeat(496)}:pull`,
    },
    {
      name: '513 characters',
      parameters: [`repository:${'a'.repeat(497)}:pull`],
      expect: 'malformed',
    },
    { name: 'fifty', parameters: Array(50).fill('repository:a:pull'), expect: 'repository:a:pull' },
    { name: 'fifty-one', parameters: Array(51).fill('repository:a:pull'), expect: 'malformed' },
  ];
  for (const { name, parameters, expect } of cases) {
    it(`${expect === 'malformed' ? 'are malformed with' : 'may be'} ${name}`, () => {
      if (expect !== 'malformed') {
        return assert.equal(formatScopes(parseScopeParameters(parameters)), expect);
      }
      return assert.throws(() => parseScopeParameters(parameters), {
        code: 'access.scope-malformed',
      });
    });
  }

  it('read back as they were written', () => {
    const name = fc.stringMatching(
      /^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?(?:\/[a-z0-9]{1,8}){0,3}$/,
    );
    const actions = fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete', 'sign'), {
      minLength: 1,
    });
    const scopes = fc.uniqueArray(
      fc.record({ repository: name, actions }, { noNullPrototype: true }),
      {
        selector: ({ repository }) => repository,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(scopes, fc.boolean(), (repositories, catalog) => {
        const text = formatScopes({ repositories, catalog });
        assert.deepEqual(parseScopeParameters([text]), { repositories, catalog });
      }),
    );
  });

  it('throw nothing but access.scope-malformed', () => {
    const part = fc.constantFrom(
      'repository',
      ':',
      'pull',
      ',',
      '/',
      'app',
      '(',
      ')',
      '*',
      ' ',
      '-',
      '.',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(part).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (parameter) => {
        try {
          parseScopeParameters([parameter]);
        } catch (error) {
          assert.equal(
            error instanceof Error && 'code' in error && error.code,
            'access.scope-malformed',
          );
        }
      }),
    );
  });
});
