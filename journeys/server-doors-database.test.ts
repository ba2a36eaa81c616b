// PostgreSQL taken from under the doors and given back, and two replicas on one: what one revokes the
// other refuses.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import type { ApiServer } from '../packages/server/test/admission/api-server.ts';
import { pod, reviewOf } from '../packages/server/test/admission/reviews.ts';
import { newSigner } from '../packages/server/test/exceptions/room.ts';
import { requirePeer } from '../test/peers.ts';
import { type Postgres, startPostgres } from '../test/postgres.ts';
import { type AllDoors, openAllDoors } from './all-doors.ts';
import { handedIn, liftedClause, policiesWithGlass, signDocument } from './exception-documents.ts';
import { until } from './server.ts';
import { openStage } from './stage.ts';

interface House extends AsyncDisposable {
  readonly postgres: Postgres;
  readonly doors: AllDoors;
  /** A document that breaks the glass for the image. */
  readonly glassFor: (image: string) => Promise<ExceptionDocument>;
}

async function openHouse(t: TestContext): Promise<House | null> {
  const program = requirePeer(t, 'postgresql');
  if (program === null) return null;
  await using opened = new AsyncDisposableStack();
  const postgres = opened.use(await startPostgres(program));
  const stage = opened.use(await openStage());
  const signer = await newSigner();
  const oncall = await stage.write('oncall.pub', publicKeyPem(signer.publicKey));
  const url = await postgres.database();
  const doors = opened.use(
    await openAllDoors({
      stage,
      policies: policiesWithGlass(stage.path('release.pub'), oncall),
      more: `storage: { tables: { postgres: { url: "${url}" } }, objects: { folder: "${stage.path('volume')}" } }\n`,
    }),
  );
  const clause = await liftedClause(doors.owner);
  const life = opened.move();
  return {
    postgres,
    doors,
    glassFor: (image) => signDocument('break-glass', image, { signer, clause }),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

async function isLetIn(api: ApiServer, image: string): Promise<boolean> {
  return (await api.call('validate', reviewOf({ object: pod([image]) }))).allowed;
}

test('while PostgreSQL is gone no door lets in and no glass breaks; when it is back nothing is lost', async (t) => {
  const house = await openHouse(t);
  if (house === null) return;
  await using _ = house;
  const { doors, postgres, glassFor } = house;
  const { api, images, owner, server } = doors;
  assert.equal(await isLetIn(api, images.signed), true);
  const document = await glassFor(images.unsigned);
  await postgres.crash();
  // Semantics 18: what the same user was let in with is counted for a second, and written then.
  await until('what is enforced is refused', async () => !(await isLetIn(api, images.signed)));
  assert.equal(await isLetIn(api, images.unsigned), false);
  const object = pod([images.unsigned]);
  const scaled = reviewOf({ operation: 'UPDATE', object, oldObject: object });
  assert.equal((await api.call('validate', scaled)).allowed, true, 'what changes no image passes');
  const broken = await owner.ask('POST', '/break-glass', handedIn(document));
  assert.ok(broken.status >= 500, broken.text);
  assert.doesNotMatch(broken.text, /\n\s+at |postgres:/);
  await postgres.restart();
  await until('a signed image is let in', () => isLetIn(api, images.signed));
  assert.equal(await isLetIn(api, images.unsigned), false, 'the glass was not broken');
  const again = await owner.ask('POST', '/break-glass', handedIn(document));
  assert.equal(again.status, 200, again.text);
  await until('it is let in', () => isLetIn(api, images.unsigned));
  assert.equal((await owner.ask('GET', '/record/verify')).json.outcome, 'pass');
  assert.ok(server.isRunning(), server.said());
  assert.doesNotMatch(server.said(), /internal\.defect|unhandled/i);
});

test('of two replicas both let in by the glass that one broke, and both refuse what one revoked', async (t) => {
  const house = await openHouse(t);
  if (house === null) return;
  await using _ = house;
  const { doors, glassFor } = house;
  const { images, owner } = doors;
  await using other = await doors.replica('replica');
  const apis = [doors.api, other.api];
  const areLetIn = async (wanted: boolean) => {
    const said = await Promise.all(apis.map((api) => isLetIn(api, images.unsigned)));
    return said.every((one) => one === wanted);
  };
  assert.ok(await areLetIn(false));
  const broken = await owner.ask('POST', '/break-glass', handedIn(await glassFor(images.unsigned)));
  assert.equal(broken.status, 200, broken.text);
  await until('both let it in', () => areLetIn(true));
  const path = `/exceptions/${encodeURIComponent(broken.json.id)}/revocation`;
  const revoked = await owner.ask('POST', path, { reason: 'it is over' });
  assert.equal(revoked.status, 200, revoked.text);
  const began = Date.now();
  // The one that revoked it refuses at once, and the other when it has read the epoch.
  assert.equal(await isLetIn(doors.api, images.unsigned), false);
  await until('both refuse it', () => areLetIn(false));
  t.diagnostic(`both refuse ${Date.now() - began} ms after the revocation`);
});
