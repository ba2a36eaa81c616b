import { parseJson } from '../bytes/json.ts';
import { protoField } from '../bytes/protojson.ts';
import { asArray, asBase64, asString, type Cursor, cursor, optional } from '../bytes/shape.ts';
import { asFault, quote, TrustFault } from '../fault/fault.ts';
import { computeDigest, type Digest } from '../oci/digest.ts';
import type { LogKey } from '../tlog/log-key.ts';
import type { CertificateAuthority } from '../x509/authority.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { parseLogInstance } from './log-instance.ts';
import { parsePeriod } from './validity-period.ts';

/** All that one party trusts: logs, certificate authorities and timestamp authorities. */
export interface TrustedRoot {
  /** How people know it: the file's name, or that of the release's own. */
  readonly name: string;
  readonly mediaType: string;
  /** Of the bytes as they were received. */
  readonly digest: Digest;
  readonly tlogs: readonly LogKey[];
  readonly ctlogs: readonly LogKey[];
  readonly certificateAuthorities: readonly CertificateAuthority[];
  readonly timestampAuthorities: readonly CertificateAuthority[];
  /** What was left out and why: instances whose algorithms Bulla does not know. */
  readonly ignored: readonly string[];
}

const MEDIA_TYPES: readonly string[] = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot+json;version=0.2',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
];

const MAX_INSTANCES = 1000;
const MAX_CHAIN = 16;

/** Faults that say that something is well-formed and beyond what Bulla knows. */
const UNSUPPORTED: readonly string[] = ['crypto.key-unsupported', 'crypto.algorithm-unknown'];

/**
 * The trust root in `bytes`: ProtoJSON of sigstore_trustroot.proto TrustedRoot, versions 0.1 and
 * 0.2; unknown fields are tolerated, as its versioning demands. An instance with an unknown
 * algorithm is left out and named in `ignored`; when that leaves none of a kind of log that the
 * document does name, the whole is refused, because a missing log asks for fewer proofs. Throws
 * `trust-root.malformed`, `trust-root.version`, `trust-root.unsupported` and the faults of JSON.
 */
export function parseTrustedRoot(bytes: Uint8Array, name: string): TrustedRoot {
  const at = cursor(parseJson(bytes, name), name, 'trust-root.malformed');
  const mediaType = asString(protoField(at, 'mediaType'));
  if (!MEDIA_TYPES.includes(mediaType)) {
    throw new TrustFault(
      'trust-root.version',
      `expected a trusted root of version 0.1 or 0.2 in ${name}, found media type ${quote(mediaType)}`,
    );
  }
  const ignored: string[] = [];
  return {
    name,
    mediaType,
    digest: computeDigest(bytes),
    tlogs: logs(protoField(at, 'tlogs'), 'host', ignored),
    ctlogs: logs(protoField(at, 'ctlogs'), 'host-and-path', ignored),
    certificateAuthorities: instances(
      protoField(at, 'certificateAuthorities'),
      parseAuthority,
      ignored,
    ),
    timestampAuthorities: instances(
      protoField(at, 'timestampAuthorities'),
      parseAuthority,
      ignored,
    ),
    ignored,
  };
}

function logs(at: Cursor, origin: 'host' | 'host-and-path', ignored: string[]): readonly LogKey[] {
  const before = ignored.length;
  const found = instances(at, (instance) => parseLogInstance(instance, origin), ignored);
  if (found.length === 0 && ignored.length > before) {
    throw new TrustFault(
      'trust-root.unsupported',
      `no log at ${at.path} has a key that Bulla can use: ${ignored.slice(before).join('; ')}`,
    );
  }
  return found;
}

/** Each instance of a list, without the ones that are well-formed and unsupported. */
function instances<T>(at: Cursor, parse: (at: Cursor) => T, ignored: string[]): readonly T[] {
  const list = optional(at, (field) =>
    asArray(field, (instance) => supported(instance, parse, ignored), MAX_INSTANCES),
  );
  return (list ?? []).flat();
}

function supported<T>(at: Cursor, parse: (at: Cursor) => T, ignored: string[]): readonly T[] {
  try {
    return [parse(at)];
  } catch (error) {
    const fault = asFault(error);
    if (!UNSUPPORTED.includes(fault.code)) {
      if (fault.code === at.code || fault.code === 'internal.defect') throw fault;
      throw new TrustFault(at.code, `${at.path}: ${fault.message}`, undefined, { cause: fault });
    }
    ignored.push(`${at.path}: ${fault.message}`);
    return [];
  }
}

function parseAuthority(at: Cursor): CertificateAuthority {
  const certificates = protoField(protoField(at, 'certChain'), 'certificates');
  const chain = asArray(
    certificates,
    (certificate) =>
      parseCertificate(asBase64(protoField(certificate, 'rawBytes')), certificate.path),
    MAX_CHAIN,
  );
  const root = chain.at(-1);
  if (root === undefined) throw new TrustFault(at.code, `an empty certificate chain at ${at.path}`);
  const uri = optional(protoField(at, 'uri'), asString) ?? '';
  return {
    name: uri === '' ? root.subjectText : uri,
    chain,
    validFor: parsePeriod(protoField(at, 'validFor')),
  };
}
