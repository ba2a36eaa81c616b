import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOB_STEPS } from './blob-steps.ts';
import { ask, KINDS, manifestOf, pushImage } from './client.ts';
import { MANIFEST_STEPS } from './manifest-steps.ts';
import { REFERRER_STEPS } from './referrer-steps.ts';
import { manifest, oci } from './step.ts';

// In the order of the specification's endpoints; each step builds on those before it.
const STEPS = [...BLOB_STEPS, ...MANIFEST_STEPS, ...REFERRER_STEPS];

for (const { kind, start } of KINDS) {
  test(`the endpoints of distribution-spec 1.1, ${kind}`, async (context) => {
    await using registry = await start();
    for (const { name, expect, ...step } of STEPS) {
      await context.test(name, async () => {
        const answer = await ask(registry.url, step);
        assert.equal(answer.status, expect.status, answer.body.toString());
        if (expect.error !== undefined) assert.equal(answer.error, expect.error);
        if (expect.body !== undefined) assert.equal(answer.body.toString(), expect.body);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        for (const [header, value] of Object.entries(expect.headers ?? {})) {
          const found = answer.headers[header];
          if (value instanceof RegExp) assert.match(found ?? '', value, header);
          else assert.equal(found, value, header);
        }
      });
    }
  });
}

test('without the referrers API a push has no OCI-Subject and the list is 404', async () => {
  await using registry = await KINDS[0].start({ referrers: false });
  const subject = await pushImage(registry.url, 'app', 'v1');
  const body = manifestOf({ subject });
  const answer = await ask(registry.url, {
    method: 'PUT',
    path: manifest('sig'),
    headers: oci,
    body,
  });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers['oci-subject'], undefined);
  const list = await ask(registry.url, { path: `/v2/app/referrers/${subject}` });
  assert.equal(list.status, 404);
});
