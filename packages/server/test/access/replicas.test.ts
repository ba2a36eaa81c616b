import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { requirePeer } from '../../../../test/peers.ts';
import { startPostgres } from '../../../../test/postgres.ts';
import { actorOf, OPERATOR } from '../../src/access/actor.ts';
import { openPostgres } from '../../src/storage/postgres/open.ts';
import { addUser, openSetting, PASSWORD, type Setting } from './setting.ts';

/** Runs `work` with two replicas, each with its own connections to one PostgreSQL. */
async function withReplicas(
  context: TestContext,
  work: (one: Setting, two: Setting) => Promise<void>,
): Promise<void> {
  const program = requirePeer(context, 'postgresql');
  if (program === null) return;
  await using postgres = await startPostgres(program);
  const url = await postgres.database();
  await using one = await openSetting(await openPostgres({ url }));
  await using two = await openSetting(await openPostgres({ url }));
  await work(one, two);
}

/** Codes of what was refused; `done` for what was not. */
function outcomes(all: readonly PromiseSettledResult<unknown>[]): readonly string[] {
  return all.map((one) => (one.status === 'rejected' ? one.reason.code : 'done')).sort();
}

describe('two replicas on one PostgreSQL', () => {
  it('agree on the first owner, links, names, the last owner, keys and what was revoked', async (t) => {
    await withReplicas(t, async (one, two) => {
      const starts = await Promise.all([one, two, one].map(({ access }) => access.firstStart()));
      const firsts = starts.filter((start) => start !== null);
      assert.equal(firsts.length, 1);
      const use = { link: firsts[0]?.link.secret ?? '', name: 'olga', password: PASSWORD };
      const uses = await Promise.allSettled([one, two].map(({ access }) => access.useLink(use)));
      assert.deepEqual(outcomes(uses), ['access.link-invalid', 'done']);

      const adds = [one, two].map(({ access }, index) =>
        access.addUser(OPERATOR, { name: index === 0 ? 'Otto' : 'otto', role: 'viewer' }),
      );
      assert.deepEqual(outcomes(await Promise.allSettled(adds)), ['access.name-taken', 'done']);

      const odile = await addUser(one, 'odile', 'owner');
      const olga = await one.access.findUser(OPERATOR, 'olga');
      const ends = await Promise.allSettled([
        one.access.setRole(OPERATOR, olga.id, 'viewer'),
        two.access.setDisabled(OPERATOR, odile.id, true),
      ]);
      assert.deepEqual(outcomes(ends), ['access.last-owner', 'done']);

      const mia = await addUser(two, 'mia', 'member');
      const { token, secret } = await one.access.createToken(actorOf(mia.session.principal), {
        name: 'ci',
        repositories: [{ repository: 'app', actions: ['pull'] }],
      });
      const { whole, expires } = await two.access.ofToken(secret);
      const asked = {
        repositories: [{ repository: 'app', actions: ['pull'] }],
        catalog: false,
      } as const;
      const issued = await two.access.issueRegistryToken({ principal: whole, expires }, asked);
      assert.equal((await one.access.ofRegistryToken(issued.token)).principal.id, token.id);
      await one.access.revokeToken(OPERATOR, token.id);
      two.pass(1000);
      for (const { access } of [one, two]) {
        const invalid = { code: 'access.credentials-invalid' };
        await assert.rejects(access.ofToken(secret), invalid);
        await assert.rejects(access.ofRegistryToken(issued.token), invalid);
      }
      assert.ok((await two.access.listActivity(OPERATOR, { limit: 3 })).length === 3);
      await one.access.sweep();
    });
  });
});
