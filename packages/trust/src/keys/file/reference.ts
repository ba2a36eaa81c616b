import { fileURLToPath } from 'node:url';
import { quote, TrustFault } from '../../fault/fault.ts';

/** Where a key lies: in a file, or as text in an environment variable. */
export type KeyReference =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly variable: string };

/** Key stores that people know from cosign and its kin, by the scheme of their references. */
const OTHER_STORES = {
  awskms: 'AWS KMS',
  azurekms: 'Azure Key Vault',
  gcpkms: 'Google Cloud KMS',
  github: 'a GitHub secret',
  gitlab: 'a GitLab variable',
  hashivault: 'HashiCorp Vault',
  http: 'a file on the web',
  https: 'a file on the web',
  k8s: 'a Kubernetes secret',
  openbao: 'OpenBao',
  pkcs11: 'a PKCS#11 token',
} as const satisfies Record<string, string>;

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;

/**
 * What a key reference names: a path, `file:///PATH` or `env://VARIABLE`. Throws
 * `key.reference-unsupported` for another scheme, saying which store it is, and
 * `key.reference-malformed` for a reference that is empty or not of its kind's form.
 */
export function parseKeyReference(text: string): KeyReference {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'file') return { kind: 'file', path: pathOfUrl(text) };
  if (scheme === 'env') return { kind: 'env', variable: variableOf(text.slice('env://'.length)) };
  // RFC 7512 §2.3: a PKCS#11 reference has no slashes after its scheme.
  const other = /^pkcs11:/i.test(text) ? 'pkcs11' : scheme;
  if (other !== undefined) throw unsupported(other);
  // A NUL would end the path early for the system and not for its reader.
  if (text === '' || text.includes('\0')) throw malformed('a path', text);
  return { kind: 'file', path: text };
}

/** The reference as people know the key; it never holds the key itself. */
export function describeKeyReference(reference: KeyReference): string {
  return reference.kind === 'file' ? reference.path : `env://${reference.variable}`;
}

function pathOfUrl(text: string): string {
  try {
    return fileURLToPath(text);
  } catch (cause) {
    throw malformed('file:///PATH', text, cause);
  }
}

function variableOf(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw malformed('env://VARIABLE', `env://${name}`);
  return name;
}

function malformed(expected: string, found: string, cause?: unknown): TrustFault {
  return new TrustFault(
    'key.reference-malformed',
    `expected ${expected}, found ${quote(found)}`,
    undefined,
    { cause },
  );
}

function unsupported(scheme: string): TrustFault {
  const store = new Map<string, string>(Object.entries(OTHER_STORES)).get(scheme);
  const what = store === undefined ? `a key store of kind ${quote(scheme)}` : `a key in ${store}`;
  // Not the reference itself: `pin-value` of RFC 7512 and a URL's password are secrets.
  return new TrustFault(
    'key.reference-unsupported',
    `the reference names ${what}; this release opens keys in files`,
  );
}
