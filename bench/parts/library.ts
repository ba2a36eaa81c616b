import { verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type PublicKey, parsePublicKeyPem } from '@bulla/trust/crypto/public-key';
import { preAuthenticationEncoding } from '@bulla/trust/envelopes/dsse';
import { cosignLegacy } from '@bulla/trust/formats/cosign-legacy/format';
import { ANNOTATIONS } from '@bulla/trust/formats/cosign-legacy/layer';
import { sigstoreBundle } from '@bulla/trust/formats/sigstore-bundle/format';
import { parseBundle } from '@bulla/trust/formats/sigstore-bundle/parse';
import { openLayout } from '@bulla/trust/oci/layout/layout-store';
import { compilePattern } from '@bulla/trust/policy/pattern';
import type { Authority } from '@bulla/trust/proof/authority';
import type { Evidence, Question, SignatureFormat } from '@bulla/trust/proof/evidence';
import { parseTrustedRoot, type TrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { parseCertificate } from '@bulla/trust/x509/certificate';
import { pair, type Row, type Side } from '../pairing.ts';

const VECTORS = new URL('../../vectors/cosign/', import.meta.url);
const PER_ROUND = 400;
const ROUNDS = 25;

function vector(path: string): string {
  return fileURLToPath(new URL(path, VECTORS));
}

interface Subject {
  readonly format: SignatureFormat;
  readonly evidence: Evidence;
  readonly question: Question;
}

async function subject(
  format: SignatureFormat,
  layout: string,
  ref: string,
  authority: Authority,
  trustRoot: TrustedRoot | null,
): Promise<Subject> {
  const source = await openLayout(vector(layout));
  const stored = await source.manifest(ref);
  if (stored === null) throw new Error(`no ${ref} in ${layout}`);
  const { evidence } = await format.find(source, stored.digest);
  const [first] = evidence;
  if (first === undefined) throw new Error(`no evidence for ${ref}`);
  return {
    format,
    evidence: first,
    question: {
      artifact: { digest: stored.digest, bytes: stored.bytes },
      wanted: { kind: 'signature', annotations: {} },
      authorities: [authority],
      requirements: { trustRoot, at: new Date(), log: true, sct: true, timestamp: true },
    },
  };
}

/** `PER_ROUND` whole verifications, parse and findings included. */
function verifications({ format, evidence, question }: Subject): Side {
  return async () => {
    for (let count = 0; count < PER_ROUND; count++) {
      const [answer] = await format.verify(evidence, question);
      if (answer?.finding.outcome !== 'pass') throw new Error('a verification did not pass');
    }
  };
}

/** One bare public-key operation over prepared bytes. */
interface BareOperation {
  readonly hash: string | null;
  readonly key: PublicKey;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** The same number of bare `crypto.verify` calls over the same bytes. */
function bare(operations: readonly BareOperation[]): Side {
  return () => {
    for (let count = 0; count < PER_ROUND; count++) {
      for (const { hash, key, message, signature } of operations) {
        verify(hash, message, key.object, signature);
      }
    }
  };
}

async function compare(
  name: string,
  operations: readonly BareOperation[],
  asked: Subject,
  goal: number,
): Promise<Row> {
  const paired = await pair(bare(operations), verifications(asked), ROUNDS);
  const each = (ms: number) => `${((ms / PER_ROUND) * 1000).toFixed(0)} µs`;
  return {
    name,
    figures: `${each(paired.b)} a verification, ${each(paired.a)} for its ${operations.length} bare operation(s); ${Math.round((PER_ROUND / paired.b) * 1000)} verifications a second`,
    ratio: 1 / paired.ratio,
    unit: '× bare',
    goal: { at: 'least', value: goal },
  };
}

/** A legacy signature and a key bundle beside bare `crypto.verify`. */
async function byKey(): Promise<readonly Row[]> {
  const key = parsePublicKeyPem(await readFile(vector('keys/p256.pub'), 'utf8'), 'p256.pub');
  const authority: Authority = { kind: 'key', name: 'p256', key };
  const legacy = await subject(cosignLegacy, 'oci/cosign-key-legacy', 'p256', authority, null);
  const signature = Buffer.from(legacy.evidence.annotations[ANNOTATIONS.signature] ?? '', 'base64');
  const payload = { hash: 'sha256', key, message: legacy.evidence.bytes, signature };
  const bundle = await subject(
    sigstoreBundle,
    'oci/cosign-key-bundle.tar',
    'nolog-p256',
    authority,
    null,
  );
  return [
    await compare('legacy signature by key', [payload], legacy, 0.7),
    await compare('key bundle', [envelopeOperation(bundle.evidence.bytes, key)], bundle, 0.7),
  ];
}

function envelopeOperation(bytes: Uint8Array, key: PublicKey): BareOperation {
  const { content } = parseBundle(bytes, 'the bundle');
  if (content.kind !== 'dsse') throw new Error('the bundle has no envelope');
  const { payloadType, payload, signatures } = content.envelope;
  const message = preAuthenticationEncoding(payloadType, payload);
  return { hash: 'sha256', key, message, signature: signatures[0]?.signature ?? new Uint8Array() };
}

/**
 * A keyless bundle beside the public-key operations that it needs: envelope, leaf certificate, SCT,
 * timestamp, the timestamp's certificate (all ECDSA P-256) and the checkpoint (Ed25519). The bare
 * side verifies signatures of the same algorithms over the same keys.
 */
async function keyless(): Promise<Row> {
  const root = parseTrustedRoot(
    await readFile(vector('trust/trusted_root.json')),
    'trusted_root.json',
  );
  const authority: Authority = {
    kind: 'keyless',
    name: 'dev',
    issuer: { text: 'issuer', matches: compilePattern({ exact: 'http://127.0.0.1:7005' }) },
    subject: { text: 'subject', matches: compilePattern({ exact: 'dev@acme.example' }) },
    claims: [],
  };
  const asked = await subject(
    sigstoreBundle,
    'oci/cosign-keyless-bundle',
    'email',
    authority,
    root,
  );
  const parsed = parseBundle(asked.evidence.bytes, 'the bundle');
  const leaf = parseCertificate(parsed.certificate ?? new Uint8Array(), 'the leaf');
  const envelope = envelopeOperation(asked.evidence.bytes, leaf.publicKey);
  const [ca] = root.certificateAuthorities[0]?.chain ?? [];
  const [tsa, tsaRoot] = root.timestampAuthorities[0]?.chain ?? [];
  const [ct] = root.ctlogs;
  const [log] = root.tlogs;
  if (
    ca === undefined ||
    tsa === undefined ||
    tsaRoot === undefined ||
    ct === undefined ||
    log === undefined
  ) {
    throw new Error('the trust root lacks an authority');
  }
  // The cost of an ECDSA verification does not depend on whether it holds.
  const ecdsa = [ca.publicKey, ct.key, tsa.publicKey, tsaRoot.publicKey].map((key) => ({
    ...envelope,
    key,
  }));
  const checkpoint = {
    hash: null,
    key: log.key,
    message: envelope.message,
    signature: new Uint8Array(64),
  };
  return compare('keyless bundle', [envelope, ...ecdsa, checkpoint], asked, 0.5);
}

/** The rows of the library. */
export async function libraryRows(): Promise<readonly Row[]> {
  return [...(await byKey()), await keyless()];
}
