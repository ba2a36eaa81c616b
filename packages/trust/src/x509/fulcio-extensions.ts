import { DER, derText, expectTag, readDer } from '../bytes/der.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import type { Certificate } from './certificate.ts';

/** What a Fulcio certificate says about its signer (fulcio docs/oid-info.md); null when absent. */
export interface FulcioClaims {
  /** Extension 8, or 1 in certificates of before 2023. */
  readonly issuer: string | null;
  readonly githubWorkflowTrigger: string | null;
  readonly githubWorkflowSha: string | null;
  readonly githubWorkflowName: string | null;
  readonly githubWorkflowRepository: string | null;
  readonly githubWorkflowRef: string | null;
  readonly buildSignerUri: string | null;
  readonly buildSignerDigest: string | null;
  readonly runnerEnvironment: string | null;
  readonly sourceRepositoryUri: string | null;
  readonly sourceRepositoryDigest: string | null;
  readonly sourceRepositoryRef: string | null;
  readonly sourceRepositoryIdentifier: string | null;
  readonly sourceRepositoryOwnerUri: string | null;
  readonly sourceRepositoryOwnerIdentifier: string | null;
  readonly buildConfigUri: string | null;
  readonly buildConfigDigest: string | null;
  readonly buildTrigger: string | null;
  readonly runInvocationUri: string | null;
  readonly sourceRepositoryVisibilityAtSigning: string | null;
  readonly deploymentEnvironment: string | null;
  readonly tokenSubject: string | null;
}

/** A row of the table: `raw` claims are bare UTF-8, the others DER UTF8Strings. */
export interface FulcioExtension {
  readonly oid: string;
  readonly name: keyof FulcioClaims;
  readonly encoding: 'raw' | 'der';
}

const ARC = '1.3.6.1.4.1.57264.1';

/** Fulcio's claims by object identifier; 7 is the username SAN's type and no extension. */
export const FULCIO_EXTENSIONS: readonly FulcioExtension[] = [
  { oid: `${ARC}.1`, name: 'issuer', encoding: 'raw' },
  { oid: `${ARC}.2`, name: 'githubWorkflowTrigger', encoding: 'raw' },
  { oid: `${ARC}.3`, name: 'githubWorkflowSha', encoding: 'raw' },
  { oid: `${ARC}.4`, name: 'githubWorkflowName', encoding: 'raw' },
  { oid: `${ARC}.5`, name: 'githubWorkflowRepository', encoding: 'raw' },
  { oid: `${ARC}.6`, name: 'githubWorkflowRef', encoding: 'raw' },
  { oid: `${ARC}.8`, name: 'issuer', encoding: 'der' },
  { oid: `${ARC}.9`, name: 'buildSignerUri', encoding: 'der' },
  { oid: `${ARC}.10`, name: 'buildSignerDigest', encoding: 'der' },
  { oid: `${ARC}.11`, name: 'runnerEnvironment', encoding: 'der' },
  { oid: `${ARC}.12`, name: 'sourceRepositoryUri', encoding: 'der' },
  { oid: `${ARC}.13`, name: 'sourceRepositoryDigest', encoding: 'der' },
  { oid: `${ARC}.14`, name: 'sourceRepositoryRef', encoding: 'der' },
  { oid: `${ARC}.15`, name: 'sourceRepositoryIdentifier', encoding: 'der' },
  { oid: `${ARC}.16`, name: 'sourceRepositoryOwnerUri', encoding: 'der' },
  { oid: `${ARC}.17`, name: 'sourceRepositoryOwnerIdentifier', encoding: 'der' },
  { oid: `${ARC}.18`, name: 'buildConfigUri', encoding: 'der' },
  { oid: `${ARC}.19`, name: 'buildConfigDigest', encoding: 'der' },
  { oid: `${ARC}.20`, name: 'buildTrigger', encoding: 'der' },
  { oid: `${ARC}.21`, name: 'runInvocationUri', encoding: 'der' },
  { oid: `${ARC}.22`, name: 'sourceRepositoryVisibilityAtSigning', encoding: 'der' },
  { oid: `${ARC}.23`, name: 'deploymentEnvironment', encoding: 'der' },
  { oid: `${ARC}.24`, name: 'tokenSubject', encoding: 'der' },
];

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The claims of a certificate that Fulcio issued; all null for another certificate. Throws
 * `x509.issuer-conflict` when extensions 1 and 8 name different issuers, `x509.malformed` for a
 * claim that is not UTF-8, `der.malformed` for one that is no UTF8String.
 */
export function fulcioClaims(certificate: Certificate): FulcioClaims {
  const claims = noClaims();
  for (const { oid, name, encoding } of FULCIO_EXTENSIONS) {
    const extension = certificate.extensions.get(oid);
    if (extension === undefined) continue;
    const text = decode(extension.value, encoding, oid);
    const before = claims[name];
    if (before !== null && before !== text) {
      throw new TrustFault(
        'x509.issuer-conflict',
        `the certificate names the issuers ${quote(before)} and ${quote(text)}`,
      );
    }
    claims[name] = text;
  }
  return claims;
}

function decode(value: Uint8Array, encoding: FulcioExtension['encoding'], oid: string): string {
  const where = `extension ${oid}`;
  if (encoding === 'der')
    return derText(expectTag(readDer(value, where), DER.utf8String, where), where);
  try {
    return decoder.decode(value);
  } catch (cause) {
    throw new TrustFault('x509.malformed', `${where} is not UTF-8`, undefined, { cause });
  }
}

function noClaims(): Record<keyof FulcioClaims, string | null> {
  return {
    issuer: null,
    githubWorkflowTrigger: null,
    githubWorkflowSha: null,
    githubWorkflowName: null,
    githubWorkflowRepository: null,
    githubWorkflowRef: null,
    buildSignerUri: null,
    buildSignerDigest: null,
    runnerEnvironment: null,
    sourceRepositoryUri: null,
    sourceRepositoryDigest: null,
    sourceRepositoryRef: null,
    sourceRepositoryIdentifier: null,
    sourceRepositoryOwnerUri: null,
    sourceRepositoryOwnerIdentifier: null,
    buildConfigUri: null,
    buildConfigDigest: null,
    buildTrigger: null,
    runInvocationUri: null,
    sourceRepositoryVisibilityAtSigning: null,
    deploymentEnvironment: null,
    tokenSubject: null,
  };
}
