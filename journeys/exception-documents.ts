import { randomBytes } from 'node:crypto';
import type { Signer } from '@bulla/trust/crypto/signer';
import { dsseEnvelopeJson } from '@bulla/trust/envelopes/dsse';
import type { BoundClause, ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import { signException } from '@bulla/trust/policy/exceptions/sign';
import type { Owner } from './server.ts';

const HOUR_MS = 3600_000;

/** Policies that know exceptions and broken glass, `production` about `team/`, and one that audits, `observed`. */
export function policiesWithGlass(
  release: string,
  oncall: string,
): Readonly<Record<string, string>> {
  const head = 'apiVersion: bulla.dev/v1\nkind: TrustPolicy\n';
  const keys = `  authorities:
    release: { key: { ref: "${release}" } }
    oncall: { key: { ref: "${oncall}" } }
  require: { signed: { of: [release] } }
`;
  return {
    'release.yaml': `${head}metadata: { name: production }
spec:
  images: [{ glob: "**/team/**" }]
${keys}  exceptions:
    approvers: [release]
    maxDuration: 72h
    maxScope: digest
    breakGlass: { keys: [oncall], maxDuration: 4h }
`,
    'observed.yaml': `${head}metadata: { name: observed }
spec:
  images: [{ glob: "**/other/**" }]
  mode: audit
${keys}`,
  };
}

/** What a document lifts: all that the policy `production` asks for, as it does now. */
export async function liftedClause(owner: Owner): Promise<BoundClause> {
  const { json } = await owner.ask('GET', '/policies');
  const production = json.policies.find(({ name }: { name: string }) => name === 'production');
  return production.clauses.find(({ path }: BoundClause) => path === 'require');
}

/** A document for one image, by its digest. */
export function signDocument(
  kind: 'exception' | 'break-glass',
  image: string,
  { signer, clause }: { readonly signer: Signer; readonly clause: BoundClause },
): Promise<ExceptionDocument> {
  const [repository = '', digest] = image.split('@');
  const now = new Date();
  return signException(
    {
      ...{ name: `${kind}-${randomBytes(6).toString('hex')}`, kind, repository },
      digest: digest as `sha256:${string}`,
      lifts: [{ policy: 'production', clauses: [clause] }],
      ...{ surfaces: null, namespaces: null },
      identity: 'oncall@acme.example',
      reason: 'it is played',
      compensatingControl: kind === 'exception' ? 'nothing listens' : null,
      issuedAt: now,
      expires: new Date(now.getTime() + HOUR_MS),
    },
    signer,
  );
}

/** The body by which a document is handed in. */
export function handedIn({ request }: ExceptionDocument): object {
  return { envelope: dsseEnvelopeJson(request) };
}
