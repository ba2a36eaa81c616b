import { optional, readFields, required } from '../../../../bytes/yaml/fields.ts';
import {
  addProblem,
  keysOf,
  listOf,
  memberOf,
  oneOf,
  type Read,
  readString,
  readText,
  type YamlCursor,
} from '../../../../bytes/yaml/read.ts';
import type {
  CipAuthority,
  ProofService,
  SignatureSource,
  SoughtAttestation,
  StaticAnswer,
} from '../document.ts';
import { anything } from './anything.ts';
import { readInlinePolicy } from './inline-policy.ts';
import { readKey, readKeyless } from './signer.ts';

/** `spec.authorities`: each has a name, by default `authority-<index>` (PC-5). */
export function readAuthorities(at: YamlCursor): readonly CipAuthority[] | undefined {
  return listOf(readAuthority)(at)?.map(named);
}

function named({ name, ...authority }: Unnamed, index: number): CipAuthority {
  return { ...authority, name: name ?? `authority-${index}` };
}

type Unnamed = Omit<CipAuthority, 'name'> & { readonly name: string | null };

const SIGNERS = ['key', 'keyless', 'static'] as const;

const AUTHORITY = {
  name: optional(readText, null),
  key: optional(readKey, null),
  keyless: optional(readKeyless, null),
  static: optional(readStatic, null),
  source: optional(listOf(readSource, { max: 1 }), []),
  ctlog: optional(serviceOf('url'), null),
  rfc3161timestamp: optional(serviceOf('none'), null),
  signatureFormat: optional(oneOf(['legacy', 'bundle']), 'legacy' as const),
  attestations: optional(listOf(readAttestation), []),
};

function readAuthority(at: YamlCursor): Unnamed | undefined {
  const given = SIGNERS.filter((kind) => keysOf(at).includes(kind));
  if (at.node?.kind === 'map' && given.length !== 1) {
    return addProblem(
      at,
      `expected exactly one of ${SIGNERS.join(', ')} at ${at.place.path}, found ${given.length}`,
    );
  }
  const fields = readFields(at, AUTHORITY, 'policy.unknown-field');
  if (fields === undefined) return undefined;
  const { name, source: sources, ctlog, rfc3161timestamp: timestamp, attestations } = fields;
  const signer = signerOf(fields);
  if (signer === undefined) return undefined;
  if (signer.kind === 'static') {
    // PC-8: an answer without looking cannot say where to look.
    const beside = ['attestations', 'source', 'ctlog', 'rfc3161timestamp'];
    const [found] = keysOf(at).filter((key) => beside.includes(key));
    if (found !== undefined) {
      return addProblem(memberOf(at, found), `${found} at ${at.place.path} stands beside static`);
    }
  }
  const { signatureFormat: format } = fields;
  return { place: at.place, name, signer, sources, ctlog, timestamp, format, attestations };
}

interface Signers {
  readonly key: (CipAuthority['signer'] & { readonly kind: 'key' })['key'] | null;
  readonly keyless: (CipAuthority['signer'] & { readonly kind: 'keyless' })['keyless'] | null;
  readonly static: StaticAnswer | null;
}

function signerOf({ key, keyless, static: answer }: Signers): CipAuthority['signer'] | undefined {
  if (key !== null) return { kind: 'key', key };
  if (keyless !== null) return { kind: 'keyless', keyless };
  return answer === null ? undefined : { kind: 'static', answer };
}

const STATIC = {
  action: required(oneOf(['pass', 'fail'])),
  message: optional(readString, ''),
};

function readStatic(at: YamlCursor): StaticAnswer | undefined {
  const fields = readFields(at, STATIC, 'policy.unknown-field');
  return fields && { place: at.place, ...fields };
}

const SOURCE = {
  oci: optional(readString, null),
  tagPrefix: optional(readString, null),
  signaturePullSecrets: optional(listOf(anything), null),
};

function readSource(at: YamlCursor): SignatureSource | undefined {
  const fields = readFields(at, SOURCE, 'policy.unknown-field');
  if (fields === undefined) return undefined;
  const { oci, tagPrefix, signaturePullSecrets } = fields;
  return { place: at.place, oci, tagPrefix, pullSecrets: signaturePullSecrets !== null };
}

function serviceOf(url: 'url' | 'none'): Read<ProofService> {
  const trustRootRef = optional(readText, null);
  return (at) => {
    if (url === 'url') {
      const both = readFields(at, { url: optional(readText, null), trustRootRef }, UNKNOWN);
      return both && { place: at.place, ...both };
    }
    const only = readFields(at, { trustRootRef }, UNKNOWN);
    return only && { place: at.place, url: null, ...only };
  };
}

const UNKNOWN = 'policy.unknown-field';

const ATTESTATION = {
  name: required(readText),
  predicateType: required(readText),
  policy: optional((at: YamlCursor) => readInlinePolicy(at, 'attestation'), null),
};

function readAttestation(at: YamlCursor): SoughtAttestation | undefined {
  const fields = readFields(at, ATTESTATION, UNKNOWN);
  return fields && { place: at.place, ...fields };
}
