import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { predicateTypeOf } from '../../src/claims/predicate-type.ts';
import { parsePublicKeyPem } from '../../src/crypto/public-key.ts';
import type { Verdict } from '../../src/finding/verdict.ts';
import { computeDigest } from '../../src/oci/digest.ts';
import { openLayout } from '../../src/oci/layout/layout-store.ts';
import { openExpressionRunner } from '../../src/policy/cel/runner.ts';
import { compilePattern } from '../../src/policy/pattern.ts';
import type { Authority, ClaimRequirement, Matcher } from '../../src/proof/authority.ts';
import type { Evidence, Wanted } from '../../src/proof/evidence.ts';
import { bundleEvidence, detachedEvidence } from '../../src/sign/blob.ts';
import { parseTrustedRoot } from '../../src/trust-root/trusted-root.ts';
import { type VerifyQuestion, verifyArtifact, verifyBlob } from '../../src/verify.ts';

/** One case of the fixtures: what cosign was told and what it said. */
export interface CosignCase {
  readonly id: string;
  readonly tool: string;
  readonly expected: 'accept' | 'reject';
  readonly reason: string;
  readonly surprise?: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly parameters: CaseParameters;
}

interface CaseParameters {
  readonly key?: string;
  readonly trustedRoot?: string;
  readonly certificateIdentity?: string;
  readonly certificateIdentityRegexp?: string;
  readonly certificateOidcIssuer?: string;
  readonly certificateOidcIssuerRegexp?: string;
  readonly githubWorkflow?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly predicateType?: string;
  readonly policy?: string;
  readonly requireTlog?: boolean;
  readonly insecureIgnoreSct?: boolean;
}

const FOLDER = new URL('../../../../vectors/cosign/', import.meta.url);

/** The instant at which the fixtures were made: certificates and services are valid then. */
export const FIXTURE_INSTANT = new Date('2026-11-21T12:00:00Z');

/** A path of the fixtures in this repository. */
export function fixture(path: string): string {
  return fileURLToPath(new URL(path.replace(/^(keys|blobs)\/cosign\//, '$1/'), FOLDER));
}

/** Every case whose tool is cosign. */
export async function cosignCases(): Promise<readonly CosignCase[]> {
  const cases = JSON.parse(await readFile(fixture('cases.json'), 'utf8')) as CosignCase[];
  return cases.filter((entry) => entry.tool.startsWith('cosign '));
}

/** The fixtures' Rego and CUE policies, said in CEL. */
const POLICIES: Readonly<Record<string, string>> = {
  'predicates/max-high.rego': `statement.predicateType == "https://cosign.sigstore.dev/attestation/vuln/v1" && predicate.scanner.result.vulnerabilities.all(x, x.severity != "CRITICAL")`,
  'predicates/has-result.rego': 'size(predicate.scanner.result.vulnerabilities) == 2',
  'predicates/builder.cue':
    'predicate.runDetails.builder.id == "https://acme.example/builders/hosted/v2"',
  'predicates/builder-other.cue':
    'predicate.runDetails.builder.id == "https://other.example/builder"',
};

function matcher(exact: string | undefined, regex: string | undefined): Matcher {
  if (regex !== undefined) return { text: regex, matches: compilePattern({ regex }) };
  return { text: exact ?? '', matches: compilePattern({ exact: exact ?? '' }) };
}

async function authorityOf(parameters: CaseParameters): Promise<Authority | null> {
  const { key, certificateIdentity, certificateIdentityRegexp, githubWorkflow } = parameters;
  if (key !== undefined) {
    const pem = await readFile(fixture(key), 'utf8');
    return { kind: 'key', name: key, key: parsePublicKeyPem(pem, key) };
  }
  if (certificateIdentity === undefined && certificateIdentityRegexp === undefined) return null;
  const claims: ClaimRequirement[] = Object.entries(githubWorkflow ?? {}).map(([name, value]) => ({
    claim: `githubWorkflow${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    value,
  }));
  return {
    kind: 'keyless',
    name: 'identity',
    issuer: matcher(parameters.certificateOidcIssuer, parameters.certificateOidcIssuerRegexp),
    subject: matcher(certificateIdentity, certificateIdentityRegexp),
    claims,
  };
}

async function questionOf(entry: CosignCase): Promise<VerifyQuestion> {
  const { parameters } = entry;
  const authority = await authorityOf(parameters);
  const root = parameters.trustedRoot;
  const wanted: Wanted = entry.tool.endsWith('attestation')
    ? {
        kind: 'attestation',
        predicateType: predicateTypeOf(parameters.predicateType ?? 'custom'),
      }
    : { kind: 'signature', annotations: parameters.annotations ?? {} };
  const expression = parameters.policy === undefined ? undefined : POLICIES[parameters.policy];
  return {
    authorities: authority === null ? [] : [authority],
    atLeast: 1,
    wanted,
    condition:
      expression === undefined
        ? null
        : { expression, runner: openExpressionRunner(), deadlineMs: 10_000 },
    requirements: {
      trustRoot: root === undefined ? null : parseTrustedRoot(await readFile(fixture(root)), root),
      at: FIXTURE_INSTANT,
      log: parameters.requireTlog !== false,
      sct: parameters.insecureIgnoreSct !== true,
      timestamp: true,
    },
  };
}

/** Bulla's verdict on a case. Throws a TrustFault for wrong use, as the CLI would exit with 2. */
export async function runCase(entry: CosignCase): Promise<Verdict> {
  const question = await questionOf(entry);
  await using _runner = question.condition?.runner;
  const { inputs } = entry;
  const now = () => performance.now();
  if (inputs['layout'] !== undefined) {
    const source = await openLayout(fixture(inputs['layout']));
    return await verifyArtifact({
      ...question,
      reference: entry.id,
      source,
      tagOrDigest: inputs['ref'] ?? '',
      tree: 'named',
      platform: null,
      now,
    });
  }
  const bytes = await readFile(fixture(inputs['blob'] ?? ''));
  return await verifyBlob({
    ...question,
    name: entry.id,
    digest: computeDigest(bytes),
    bytes,
    evidence: [await evidenceOf(inputs)],
    now,
  });
}

async function evidenceOf(inputs: CosignCase['inputs']): Promise<Evidence> {
  if (inputs['bundle'] !== undefined)
    return bundleEvidence(await readFile(fixture(inputs['bundle'])));
  return detachedEvidence(await readFile(fixture(inputs['signature'] ?? '')), 'signature');
}
