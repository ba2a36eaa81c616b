import type { PolicyMode } from './document.ts';
import type { Pattern } from './pattern.ts';

/** Who must have signed, for a policy that is written anew. */
export type InitialSigner =
  | { readonly kind: 'key'; readonly ref: string }
  | {
      readonly kind: 'keyless';
      readonly issuer: Pattern;
      readonly subject: Pattern;
      readonly trustRoot: string;
    };

/** What a policy that is written anew says; the rest are defaults, shown as comments. */
export interface InitialPolicy {
  /** A DNS-1123 name. */
  readonly name: string;
  /** At least one; of canonical names. */
  readonly images: readonly Pattern[];
  readonly signer: InitialSigner;
  /** Default `enforce`; the server's first policy is `audit`. */
  readonly mode?: PolicyMode;
  /** Lines that stand at the top, such as who wrote the file. */
  readonly header?: readonly string[];
}

/**
 * The text of a small policy with comments that works as it stands: `parsePolicies` reads it
 * without a problem, and `formatPolicies` leaves it as it is. What it is given is not checked.
 */
export function initialPolicy(policy: InitialPolicy): string {
  const { name, images, signer, mode = 'enforce', header = [] } = policy;
  const lines = [
    ...header.map((line) => `# ${line}`),
    ...(header.length === 0 ? [] : ['']),
    'apiVersion: bulla.dev/v1',
    'kind: TrustPolicy',
    'metadata:',
    `  name: ${quoted(name)}`,
    'spec:',
    '  # Whole names, registry/repository; in a glob * stays within a slash and ** does not.',
    '  images:',
    ...images.map((image) => `    - ${patternText(image)}`),
    '  # enforce refuses; warn and audit admit with a warning, and are recorded as such.',
    `  mode: ${mode}`,
    '  # Who may sign.',
    '  authorities:',
    '    release:',
    ...signerLines(signer).map((line) => `      ${line}`),
    '  # What must hold. An attestation is asked for beside a signature like this:',
    '  #   all:',
    '  #     - signed: { of: [release] }',
    '  #     - attested: { type: slsaprovenance1, by: [release] }',
    '  require:',
    '    signed: { of: [release] }',
  ];
  return `${lines.join('\n')}\n`;
}

function signerLines(signer: InitialSigner): readonly string[] {
  if (signer.kind === 'key') {
    return [
      'key:',
      '  # The file of the public key; its path starts from the folder of this one.',
      `  ref: ${quoted(signer.ref)}`,
    ];
  }
  return [
    'keyless:',
    `  issuer: ${patternText(signer.issuer)}`,
    `  subject: ${patternText(signer.subject)}`,
    '  # public-good is the root of public Sigstore that the release carries.',
    `  trustRoot: ${quoted(signer.trustRoot)}`,
  ];
}

function patternText(pattern: Pattern): string {
  if ('exact' in pattern) return `{ exact: ${quoted(pattern.exact)} }`;
  if ('glob' in pattern) return `{ glob: ${quoted(pattern.glob)} }`;
  return `{ regex: ${quoted(pattern.regex)} }`;
}

/** A JSON string is a YAML string of the same value, except for what YAML does not allow in it. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
