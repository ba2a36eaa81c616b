import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { encodePem } from '@bulla/trust/bytes/pem';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Evidence } from '@bulla/trust/proof/evidence';
import { codesOf } from '../../sigstore-lab/findings.ts';
import { minutes, NOW, openLab, trustRootOf } from '../../sigstore-lab/lab.ts';
import { type Json, LEGACY, mintLegacy, simpleSigning } from '../../sigstore-lab/mint.ts';
import { flipBase64, mutationsOf, set, valueAt } from '../../sigstore-lab/mutations.ts';
import { type Asked, DEV, judgeBlob, keyed, keyless } from '../../sigstore-lab/question.ts';
import { testKey } from '../../tlog/synthetic-log.ts';

const lab = openLab();
const stranger = openLab();
const KEY = testKey('ecdsa-p256');
const DIGEST = computeDigest(utf8('the image'));
const OTHER = computeDigest(utf8('another image'));
const issued = lab.ca.issue({ ...DEV, at: NOW });
const again = lab.ca.issue({ ...DEV, at: NOW });

/** (d) a certificate and a timestamp, without a log; (e) Rekor v1's promise. */
const STAMPED = mintLegacy(lab, { by: issued, digest: DIGEST, stampedAt: NOW });
const STAMPED_OTHER = mintLegacy(lab, { by: again, digest: OTHER, stampedAt: NOW });
const PROMISED = mintLegacy(lab, { by: issued, digest: DIGEST, loggedAt: NOW });
const PROMISED_OTHER = mintLegacy(lab, { by: again, digest: OTHER, loggedAt: NOW });
const BARE = mintLegacy(lab, { by: KEY, digest: DIGEST });

const authorities = [keyless(), keyed(KEY)];
const NO_LOG: Asked = { authorities: [keyless()], requirements: { log: false } };
const WITH_LOG: Asked = { authorities: [keyless()] };
const BY_KEY: Asked = { authorities: [keyed(KEY)], requirements: { log: false } };

function annotated(evidence: Evidence, name: string, value: string | undefined): Evidence {
  const annotations = { ...evidence.annotations };
  if (value === undefined) delete annotations[name];
  else annotations[name] = value;
  return { ...evidence, annotations };
}

const take = (evidence: Evidence, other: Evidence, name: string) =>
  annotated(evidence, name, other.annotations[name]);

/** The JSON in an annotation, changed. */
function inside(evidence: Evidence, name: string, change: (document: Json) => Json): Evidence {
  const document = JSON.parse(evidence.annotations[name] ?? '{}') as Json;
  return annotated(evidence, name, JSON.stringify(change(document)));
}

const flipped = (name: string, path: string) => (evidence: Evidence) =>
  inside(evidence, name, (document) =>
    set(document, path, flipBase64(valueAt(document, path.split('.')), -1)),
  );

interface Row {
  readonly name: string;
  readonly evidence: Evidence;
  readonly asked: Asked;
  readonly expect: readonly string[];
}

const withBytes = (evidence: Evidence, bytes: Uint8Array): Evidence => ({ ...evidence, bytes });
const { signature, certificate, chain, bundle, timestamp } = LEGACY;
const pem = (raw: Uint8Array) => encodePem('CERTIFICATE', raw);

const ROWS: readonly Row[] = [
  {
    name: 'payload of another',
    evidence: withBytes(STAMPED, STAMPED_OTHER.bytes),
    asked: NO_LOG,
    expect: ['signature.invalid', 'signature.digest-mismatch'],
  },
  {
    name: 'all of another (replay)',
    evidence: STAMPED_OTHER,
    asked: NO_LOG,
    expect: ['signature.digest-mismatch'],
  },
  {
    name: 'payload edited',
    evidence: withBytes(BARE, simpleSigning(DIGEST, {}, { env: 'prod' })),
    asked: BY_KEY,
    expect: ['signature.invalid'],
  },
  {
    name: 'payload cut',
    evidence: withBytes(BARE, BARE.bytes.subarray(0, 50)),
    asked: BY_KEY,
    expect: ['json.malformed'],
  },
  {
    name: 'signature flipped',
    evidence: annotated(STAMPED, signature, flipBase64(STAMPED.annotations[signature], -1)),
    asked: NO_LOG,
    expect: ['signature.invalid', 'timestamp.imprint-mismatch'],
  },
  {
    name: 'signature of another',
    evidence: take(STAMPED, STAMPED_OTHER, signature),
    asked: NO_LOG,
    expect: ['signature.invalid', 'timestamp.imprint-mismatch'],
  },
  {
    name: 'signature dropped',
    evidence: annotated(STAMPED, signature, undefined),
    asked: NO_LOG,
    expect: ['cosign-legacy.malformed'],
  },
  {
    name: 'signature empty',
    evidence: annotated(STAMPED, signature, ''),
    asked: NO_LOG,
    expect: ['cosign-legacy.malformed'],
  },
  {
    name: 'certificate of another',
    evidence: take(STAMPED, STAMPED_OTHER, certificate),
    asked: NO_LOG,
    expect: ['signature.invalid'],
  },
  {
    name: 'certificate dropped',
    evidence: annotated(STAMPED, certificate, undefined),
    asked: NO_LOG,
    expect: ['proof.material-mismatch'],
  },
  {
    name: 'certificate of a stranger’s CA',
    evidence: mintLegacy(lab, {
      by: stranger.ca.issue({ ...DEV, at: NOW }),
      digest: DIGEST,
      stampedAt: NOW,
    }),
    asked: NO_LOG,
    expect: ['x509.untrusted'],
  },
  {
    name: 'the root as certificate',
    evidence: annotated(STAMPED, certificate, pem(lab.ca.root.raw)),
    asked: NO_LOG,
    expect: ['signature.invalid', 'x509.usage', 'x509.sct-missing', 'proof.identity-mismatch'],
  },
  {
    name: 'timestamp dropped',
    evidence: annotated(STAMPED, timestamp, undefined),
    asked: NO_LOG,
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'timestamp of another',
    evidence: take(STAMPED, STAMPED_OTHER, timestamp),
    asked: NO_LOG,
    expect: ['timestamp.imprint-mismatch'],
  },
  {
    name: 'timestamp flipped',
    evidence: flipped(timestamp, 'SignedRFC3161Timestamp')(STAMPED),
    asked: NO_LOG,
    expect: ['timestamp.signature-invalid'],
  },
  {
    name: 'timestamp of a stranger',
    evidence: mintLegacy(
      { ...lab, tsa: stranger.tsa },
      { by: issued, digest: DIGEST, stampedAt: NOW },
    ),
    asked: NO_LOG,
    expect: ['x509.untrusted'],
  },
  {
    name: 'expired: stamped after the certificate',
    evidence: mintLegacy(lab, { by: issued, digest: DIGEST, stampedAt: minutes(11) }),
    asked: NO_LOG,
    expect: ['x509.expired'],
  },
  {
    name: 'no log entry where one is asked for',
    evidence: STAMPED,
    asked: WITH_LOG,
    expect: ['proof.log-missing'],
  },
  {
    name: 'promise dropped',
    evidence: annotated(PROMISED, bundle, undefined),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'proof.log-missing'],
  },
  {
    name: 'promise of another',
    evidence: take(PROMISED, PROMISED_OTHER, bundle),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'tlog.entry-mismatch'],
  },
  {
    name: 'promise flipped',
    evidence: flipped(bundle, 'SignedEntryTimestamp')(PROMISED),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'promise empty',
    evidence: inside(PROMISED, bundle, (it) => set(it, 'SignedEntryTimestamp', '')),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'time changed',
    evidence: inside(PROMISED, bundle, (it) =>
      set(it, 'Payload.integratedTime', NOW.getTime() / 1000 + 60),
    ),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'time beyond any date',
    evidence: inside(PROMISED, bundle, (it) => set(it, 'Payload.integratedTime', 9e15)),
    asked: WITH_LOG,
    expect: ['cosign-legacy.malformed'],
  },
  {
    name: 'index changed',
    evidence: inside(PROMISED, bundle, (it) => set(it, 'Payload.logIndex', 1)),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'log id changed',
    evidence: inside(PROMISED, bundle, (it) => set(it, 'Payload.logID', '00'.repeat(32))),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'tlog.log-unknown'],
  },
  {
    name: 'body of another',
    evidence: inside(PROMISED, bundle, (it) =>
      set(
        it,
        'Payload.body',
        valueAt(JSON.parse(PROMISED_OTHER.annotations[bundle] ?? ''), ['Payload', 'body']),
      ),
    ),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'tlog.entry-mismatch', 'tlog.promise-invalid'],
  },
  {
    name: 'promise of a stranger’s log',
    evidence: mintLegacy(
      { ...lab, oldTlog: stranger.oldTlog },
      { by: issued, digest: DIGEST, loggedAt: NOW },
    ),
    asked: WITH_LOG,
    expect: ['proof.no-trusted-time', 'tlog.log-unknown'],
  },
  {
    name: 'expired: logged after the certificate',
    evidence: mintLegacy(lab, { by: issued, digest: DIGEST, loggedAt: minutes(11) }),
    asked: WITH_LOG,
    expect: ['x509.expired'],
  },
  {
    name: 'expired: the log’s key',
    evidence: PROMISED,
    asked: {
      ...WITH_LOG,
      requirements: {
        trustRoot: trustRootOf(lab, { logValidFor: { end: '2026-11-20T00:00:00Z' } }),
      },
    },
    expect: ['proof.no-trusted-time', 'tlog.log-expired'],
  },
  {
    name: 'a payload of GPG’s type',
    evidence: mintLegacy(lab, {
      by: KEY,
      digest: DIGEST,
      critical: { type: 'atomic container signature' },
    }),
    asked: BY_KEY,
    expect: ['payload.type'],
  },
  {
    name: 'an unknown critical member',
    evidence: mintLegacy(lab, { by: KEY, digest: DIGEST, critical: { more: 1 } }),
    asked: BY_KEY,
    expect: ['payload.malformed'],
  },
  {
    name: 'another key',
    evidence: mintLegacy(lab, { by: testKey('ecdsa-p256'), digest: DIGEST }),
    asked: BY_KEY,
    expect: ['signature.invalid'],
  },
  {
    name: 'a layer of another media type',
    evidence: { ...BARE, mediaType: 'text/plain' },
    asked: BY_KEY,
    expect: ['cosign-legacy.malformed'],
  },
  {
    name: 'a layer said to be an envelope',
    evidence: { ...BARE, mediaType: 'application/vnd.dsse.envelope.v1+json' },
    asked: BY_KEY,
    expect: ['dsse.malformed'],
  },
];

for (const { name, evidence, asked } of [
  { name: 'certificate and timestamp', evidence: STAMPED, asked: NO_LOG },
  { name: 'certificate and promise', evidence: PROMISED, asked: WITH_LOG },
  { name: 'key', evidence: BARE, asked: BY_KEY },
]) {
  test(`a layer by ${name} verifies before it is corrupted`, async () => {
    const { finding } = await judgeBlob(lab, DIGEST, [evidence], asked);
    assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
  });
}

for (const { name, evidence, asked, expect } of ROWS) {
  test(`corrupted: ${name}`, async () => {
    const { finding } = await judgeBlob(lab, DIGEST, [evidence], asked);
    const tree = renderFinding(finding).join('\n');
    assert.equal(finding.outcome, 'fail', tree);
    assert.deepEqual(codesOf(finding), expect, tree);
  });
}

/** Nothing depends on these: the trust root has the chain already. */
const FREE = [chain];

test('no change of an annotation makes a layer pass, but of those that nothing depends on', async () => {
  let changes = 0;
  for (const { evidence, other, asked } of [
    { evidence: STAMPED, other: STAMPED_OTHER, asked: NO_LOG },
    { evidence: PROMISED, other: PROMISED_OTHER, asked: WITH_LOG },
  ]) {
    for (const change of annotationChanges(evidence, other)) {
      changes++;
      const { finding } = await judgeBlob(lab, DIGEST, [change.evidence], {
        ...asked,
        authorities,
      });
      if (finding.outcome === 'pass') {
        const tree = renderFinding(finding).join('\n');
        assert.ok(
          FREE.some((free) => free === change.annotation),
          `${change.name}\n${tree}`,
        );
      } else assert.equal(finding.outcome, 'fail', change.name);
    }
  }
  assert.ok(changes > 100, `${changes} changes`);
});

test('no change of a payload passes', async () => {
  const payload: Json = JSON.parse(Buffer.from(BARE.bytes).toString());
  const other: Json = JSON.parse(Buffer.from(simpleSigning(OTHER, {}, { env: 'x' })).toString());
  for (const { name, document } of mutationsOf(payload, other)) {
    const bytes = utf8(JSON.stringify(document));
    const { finding } = await judgeBlob(lab, DIGEST, [withBytes(BARE, bytes)], BY_KEY);
    assert.equal(finding.outcome, 'fail', name);
  }
});

function* annotationChanges(evidence: Evidence, other: Evidence) {
  for (const name of Object.keys(evidence.annotations)) {
    for (const text of [undefined, '', 'null', 'x', '{}', '[]', '-----BEGIN CERTIFICATE-----']) {
      yield {
        name: `${name} = ${text}`,
        annotation: name,
        evidence: annotated(evidence, name, text),
      };
    }
    if (other.annotations[name] !== evidence.annotations[name]) {
      yield { name: `${name} of another`, annotation: name, evidence: take(evidence, other, name) };
    }
    if (name !== bundle && name !== timestamp) continue;
    const theirs = JSON.parse(other.annotations[name] ?? '{}') as Json;
    const document = JSON.parse(evidence.annotations[name] ?? '{}') as Json;
    for (const change of mutationsOf(document, theirs)) {
      const text = JSON.stringify(change.document);
      yield {
        name: `${name} ${change.name}`,
        annotation: name,
        evidence: annotated(evidence, name, text),
      };
    }
  }
}
