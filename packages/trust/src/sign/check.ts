import type { Signer } from '../crypto/signer.ts';
import { TrustFault } from '../fault/fault.ts';
import { ANNOTATIONS } from '../formats/cosign-legacy/layer.ts';
import type { ArtifactSource, StoredManifest } from '../oci/store.ts';
import type { Evidence, Wanted } from '../proof/evidence.ts';
import type { SigningServices } from '../proof/services.ts';
import type { TrustedRoot } from '../trust-root/trusted-root.ts';
import { gather } from '../verify/gather.ts';
import { verifyBlob } from '../verify.ts';

/** What every signing needs, whatever is signed. */
export interface SigningContext {
  readonly signer: Signer;
  readonly services: SigningServices;
  /** Checks what the services gave; null when none were asked. */
  readonly trustRoot: TrustedRoot | null;
  /** The present. */
  readonly at: Date;
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** What every answer of a service must hold: with a period, however wide, each timestamp counts. */
const EACH_TIME = { start: new Date(0), end: null } as const;

function asked(context: SigningContext, wanted: Wanted, evidence: readonly Evidence[]) {
  const { signer, trustRoot, at } = context;
  const key = { kind: 'key', name: signer.name, key: signer.publicKey } as const;
  // Without a trust root there is nothing to hold the services' answers against, and the tag scheme
  // has no place for what today's logs give (see `signLegacy`).
  const log = trustRoot !== null && evidence.every(({ format }) => format !== 'cosign-legacy');
  return {
    authorities: [trustRoot === null ? key : { ...key, validFor: EACH_TIME }],
    atLeast: 1,
    wanted,
    condition: null,
    requirements: { trustRoot, at, log, sct: true, timestamp: true },
  };
}

/** Throws `sign.not-verified` unless the new evidence verifies for its own key. */
export async function mustVerify(
  context: SigningContext,
  node: Pick<StoredManifest, 'digest' | 'bytes'>,
  evidence: readonly Evidence[],
  wanted: Wanted,
  when: string,
): Promise<void> {
  const verdict = await verifyBlob({
    ...asked(context, wanted, evidence),
    name: node.digest,
    digest: node.digest,
    bytes: node.bytes,
    evidence,
    now: context.now,
  });
  if (verdict.finding.outcome === 'pass') return;
  throw new TrustFault(
    'sign.not-verified',
    `the new signature of ${node.digest} does not verify ${when}: ${reasons(verdict.finding)}`,
  );
}

/** The signature must be found again, whole, in what the registry serves. */
export async function mustBeServed(
  context: SigningContext & { readonly target: ArtifactSource },
  node: StoredManifest,
  document: Pick<Evidence, 'digest' | 'annotations' | 'format'>,
  wanted: Wanted,
): Promise<void> {
  const { authorities, requirements } = asked(context, wanted, []);
  const artifact = { digest: node.digest, bytes: node.bytes };
  const question = { artifact, wanted, authorities, requirements };
  const found = await gather(context.target, question, {
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  const served = found.evidence.filter((piece) => isOf(piece, document));
  if (served.length === 0) {
    throw new TrustFault(
      'sign.not-served',
      `${context.target.name} took the signature ${document.digest} of ${node.digest} and does not serve it`,
    );
  }
  await mustVerify(context, node, served, wanted, 'as the registry serves it');
}

/** Signatures of the tag scheme by several signers have one payload: the annotations tell them apart. */
function isOf(
  piece: Evidence,
  { digest, annotations, format }: Parameters<typeof mustBeServed>[2],
) {
  if (piece.digest !== digest) return false;
  if (format !== 'cosign-legacy') return true;
  return piece.annotations[ANNOTATIONS.signature] === annotations[ANNOTATIONS.signature];
}

function reasons(finding: {
  readonly says: string;
  readonly outcome: string;
  readonly because?: readonly { readonly says: string; readonly outcome: string }[];
}): string {
  const failing = finding.because?.filter((child) => child.outcome !== 'pass') ?? [];
  return failing.length === 0 ? finding.says : failing.map((child) => reasons(child)).join('; ');
}
