import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODES } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { GivenException } from '@bulla/trust/policy/exceptions/document';
import { NEVER_LIFTED } from '@bulla/trust/policy/exceptions/never-lifted';
import { minutes } from '../../sigstore-lab/lab.ts';
import { approved, KEYS } from './exception-lab.ts';
import { altered, decide, image, refusedFor, remarks, specOf, stage } from './stage.ts';

const { digest } = image;

test('semantics 17: no exception lifts a digest mismatch', async () => {
  const elsewhere = stage([KEYS.release, KEYS.qa], `sha256:${'1'.repeat(64)}`);
  const one = await approved(elsewhere.image.digest, { clauses: ['require'] });
  const wrong = await decide([one], {}, { source: elsewhere.repository });
  refusedFor(wrong, 'exception.not-liftable');
});

test('semantics 17: no exception lifts bytes of another digest than was asked for', async () => {
  const { repository } = stage();
  repository.faults = {
    manifest: () => {
      throw new TrustFault('registry.digest-mismatch', 'the bytes have another digest');
    },
  };
  const one = await approved(digest, { clauses: ['require'] });
  const decision = await decide([one], {}, { source: repository, digest, tag: null });
  refusedFor(decision, 'exception.not-liftable');
});

/** Codes that say a digest mismatch or a revocation, by their names and meanings. */
const SAYS_SO = /digest-mismatch|subject-mismatch|revoked|revocation/;
const MEANS_SO = /\brevoked\b|another digest/i;
/** Of another meaning: these are about documents and requests, and no check of an image ends in them. */
const OTHERWISE: readonly string[] = [
  'exception.not-liftable',
  'access.credentials-invalid',
  'exception.revoked',
];

test('semantics 17: every code of a digest mismatch or a revocation is one that nothing lifts', () => {
  const meant = Object.entries(CODES).flatMap(([code, { means }]) =>
    SAYS_SO.test(code) || MEANS_SO.test(means) ? [code] : [],
  );
  assert.ok(meant.length >= 4, `${meant}`);
  const listed: ReadonlySet<string> = NEVER_LIFTED;
  assert.deepEqual(
    meant.filter((code) => !listed.has(code) && !OTHERWISE.includes(code)),
    [],
  );
});

test('ten thousand exceptions for one image cost a bounded number of signatures and findings', async () => {
  const one = await approved(digest, { expires: minutes(60) });
  const forged = altered(one.document, (_, request) => {
    specOf(request)['reason'] = 'flood';
  });
  const flood = Array.from(
    { length: 10_000 },
    (): GivenException => ({ document: forged, recorded: true }),
  );
  const lost = await decide([...flood, one]);
  // Fail closed: the flood stands before it, and it is told that not all were looked at.
  assert.ok(remarks(lost).includes('exception.limit'));
  assert.ok(remarks(lost).length <= 20, `${remarks(lost).length}`);
  // Who narrows or prolongs theirs stands first; those of others do not count at all.
  const others = await approved(digest, { repository: 'registry.example/other' });
  const far = Array.from({ length: 10_000 }, () => others);
  const found = await decide([...far, one]);
  assert.equal(found.outcome, 'admit');
  assert.ok(remarks(found).length <= 20);
});
