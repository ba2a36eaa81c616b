import { PREDICATE_TYPES } from '@bulla/trust/claims/predicate-type';
import type { SeverityLimits } from '@bulla/trust/policy/document';
import { decided } from '../../policy-lab/decide.ts';
import { attested, policyOf, ready, setOf, unsupported } from '../../policy-lab/policy.ts';
import { minutes, openLab } from '../../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { keyed } from '../../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../../sigstore-lab/repository.ts';
import { type TestKey, testKey } from '../../tlog/synthetic-log.ts';

const lab = openLab();
export const SCANNER = testKey('ecdsa-p256');
const SECURITY = testKey('ecdsa-p256');
export const SECOND = testKey('ecdsa-p256');
export const EVE = testKey('ecdsa-p256');
const named = (key: TestKey, name: string) => {
  const authority = ready(keyed(key, name), lab);
  return { ...authority, requirements: { ...authority.requirements, log: false } };
};
export const authorities = [
  named(SCANNER, 'scanner'),
  named(SECURITY, 'security'),
  named(SECOND, 'second'),
  unsupported('old', 'openpgp'),
];

const ZLIB = 'pkg:deb/debian/zlib@1.2?arch=amd64';
const SCAN = {
  scanner: {
    result: {
      SchemaVersion: 2,
      Results: [
        {
          Vulnerabilities: [
            {
              VulnerabilityID: 'CVE-1',
              PkgName: 'zlib',
              PkgIdentifier: { PURL: ZLIB },
              Severity: 'CRITICAL',
            },
            { VulnerabilityID: 'CVE-2', PkgName: 'bash', Severity: 'LOW' },
          ],
        },
      ],
    },
  },
};

/** The image's digest where a test writes DIGEST. */
const DIGEST = 'sha256:DIGEST';
/** Its hexadecimal digits where a test writes HEX. */
export const HEX = 'HEX';
export const PRODUCT = `pkg:oci/app@${DIGEST}`;
export const clean = (more: object = {}) => ({
  vulnerability: { name: 'CVE-1' },
  products: [{ '@id': PRODUCT }],
  status: 'not_affected',
  justification: 'vulnerable_code_not_present',
  ...more,
});
export const vex = (
  statements: readonly object[],
  timestamp: string = minutes(-10).toISOString(),
) => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  timestamp,
  statements,
});

/** One document of one statement. */
export const one = (more: object = {}): readonly Vex[] => [{ document: vex([clean(more)]) }];

export interface Vex {
  readonly document: unknown;
  readonly by?: TestKey;
  /** Minutes from NOW. */
  readonly at?: number;
}

export function stage(documents: readonly Vex[]) {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const attest = (by: TestKey, type: string, predicate: unknown, at: Date) => {
    const text = JSON.stringify(predicate)
      .replaceAll(DIGEST, image.digest)
      .replaceAll(HEX, image.digest.slice('sha256:'.length));
    const payload = statement(image.digest, type, JSON.parse(text));
    const bundle = bundleEvidence(mintBundle(lab, { by, payload, logs: [], stampedAt: [at] }));
    // As cosign labels them: what is looked for is told without a download.
    const annotations = { 'dev.sigstore.bundle.predicateType': type };
    attachBundle(repository, image, bundle, { annotations });
    return bundle.digest;
  };
  attest(SCANNER, PREDICATE_TYPES.vuln, SCAN, minutes(-20));
  const vexes = documents.map(({ document, by = SECURITY, at = -5 }) =>
    attest(by, PREDICATE_TYPES.openvex, document, minutes(at)),
  );
  return { repository, vexes };
}

export function decideWith(
  documents: readonly Vex[],
  vexBy: readonly string[] = ['security'],
  vulnerabilities: SeverityLimits = { critical: 0 },
) {
  const require = attested('vuln', ['scanner'], { vulnerabilities, vexBy });
  const policies = setOf(policyOf({ authorities, require }));
  return decided({ source: stage(documents).repository, policies });
}
