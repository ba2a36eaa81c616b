import { setImmediate as breath } from 'node:timers/promises';
import { hasErrors, problemLine } from '@bulla/trust/bytes/yaml/problem';
import type { PublicKey } from '@bulla/trust/crypto/public-key';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { CelRunner } from '@bulla/trust/policy/cel/runner';
import { type PolicySource, parsePolicies } from '@bulla/trust/policy/parse';
import { PUBLIC_GOOD } from '@bulla/trust/policy/parse/spec';
import type { PolicySet, ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { parsePolicyKey } from '@bulla/trust/policy/public-key';
import { policySet, readyPolicy } from '@bulla/trust/policy/ready';
import { publicGoodTrustRoot } from '@bulla/trust/trust-root/public-good';
import { parseTrustedRoot, type TrustedRoot } from '@bulla/trust/trust-root/trusted-root';

/** Policies that somebody would put in the place of those in force. */
export interface Candidate {
  /** Documents, each with the name that its mistakes are told by. */
  readonly documents: readonly { readonly file: string; readonly text: string }[];
  /** Public keys in PEM, by the `ref` that the documents name them by. */
  readonly keys: Readonly<Record<string, string>>;
  /** Trusted roots as JSON text, by the name that authorities call them by. */
  readonly trustRoots: Readonly<Record<string, string>>;
  /** Names of policies that would go. */
  readonly remove: readonly string[];
}

/** What candidates are read with. */
export interface CandidateGround {
  readonly inForce: PolicySet;
  readonly expressions: Pick<CelRunner, 'checkExpression'>;
  /** Whether the time of the whole simulation has passed. */
  readonly isOver: () => boolean;
}

/**
 * The policies in force with a candidate's in the place of those of the same name. Keys and trust roots
 * are the candidate's own or those that policies in force have under the same name: no file of this
 * machine is read for whoever calls. Throws `impact.candidate-invalid` with every mistake.
 */
export async function candidateSet(
  candidate: Candidate,
  { inForce, expressions, isOver }: CandidateGround,
): Promise<PolicySet> {
  const mistakes: string[] = [];
  const made: ReadyPolicy[] = [];
  let policies = 0;
  for (const { file, text } of candidate.documents) {
    // Doors are answered between two documents.
    await breath();
    const { sources, problems } = parsePolicies(Buffer.from(text), file);
    policies += sources.length;
    if (policies > POLICIES_MOST) {
      const says = `expected at most ${POLICIES_MOST} policies, found more by ${quote(file)}`;
      throw new TrustFault('impact.candidate-invalid', says, 'Hand in fewer of them at a time.');
    }
    mistakes.push(...problems.filter((one) => hasErrors([one])).map(problemLine));
    for (const source of sources) {
      mistakes.push(...(await wrongExpressions(source, expressions, isOver)));
      const ready = readyOf(source, candidate, inForce);
      if (typeof ready === 'string') mistakes.push(`${file}: ${ready}`);
      else made.push(ready);
    }
  }
  const known = new Set(inForce.policies.map(({ document }) => document.name));
  mistakes.push(
    ...candidate.remove
      .filter((name) => !known.has(name))
      .map((name) => `no policy ${quote(name)} is in force, so it cannot go`),
  );
  if (made.length === 0 && candidate.remove.length === 0 && mistakes.length === 0) {
    mistakes.push('expected a policy, found none');
  }
  if (mistakes.length > 0) {
    throw new TrustFault('impact.candidate-invalid', mistakes.slice(0, MISTAKES_MOST).join('\n'));
  }
  const gone = new Set([...candidate.remove, ...made.map(({ document }) => document.name)]);
  const kept = inForce.policies.filter(({ document }) => !gone.has(document.name));
  try {
    return policySet([...kept, ...made]);
  } catch (error) {
    throw asCandidate(error);
  }
}

const MISTAKES_MOST = 20;
/** Each is decided by once or twice for every image, on the thread that answers doors. */
const POLICIES_MOST = 500;

async function wrongExpressions(
  { expressions }: PolicySource,
  runner: CandidateGround['expressions'],
  isOver: () => boolean,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { text, place } of expressions) {
    if (isOver()) {
      const says =
        'the policies have more expressions than can be read in the time of a simulation';
      throw new TrustFault('impact.candidate-invalid', says, 'Hand in fewer of them at a time.');
    }
    try {
      await runner.checkExpression(text);
    } catch (error) {
      const { code, message } = asFault(error);
      if (code === 'internal.defect') throw error;
      found.push(`${place.file}:${place.line}:${place.column}: ${message}`);
    }
  }
  return found;
}

/** The policy with its keys and trust roots, or a sentence about what it lacks. */
function readyOf(
  { policy }: PolicySource,
  candidate: Candidate,
  inForce: PolicySet,
): ReadyPolicy | string {
  try {
    const keys = new Map<string, PublicKey>();
    const trustRoots = new Map<string, TrustedRoot>();
    for (const [name, spec] of Object.entries(policy.authorities)) {
      if (spec.kind === 'key') {
        const where = spec.ref ?? name;
        keys.set(
          name,
          spec.ref === null
            ? parsePolicyKey(Buffer.from(spec.pem ?? ''), where)
            : keyOf(spec.ref, candidate, inForce),
        );
      }
      const root = spec.kind === 'key' || spec.kind === 'keyless' ? spec.trustRoot : null;
      if (root !== null) trustRoots.set(root, rootOf(root, candidate, inForce));
    }
    return readyPolicy(policy, { keys, trustRoots });
  } catch (error) {
    return asCandidate(error).message;
  }
}

function keyOf(ref: string, { keys }: Candidate, inForce: PolicySet): PublicKey {
  const given = Object.hasOwn(keys, ref) ? keys[ref] : undefined;
  if (given !== undefined) return parsePolicyKey(Buffer.from(given), ref);
  const found = new Map<string, PublicKey>();
  for (const { document, authorities } of inForce.policies) {
    for (const [name, { authority }] of authorities) {
      const spec = document.authorities[name];
      const isIt = spec?.kind === 'key' && spec.ref === ref && authority?.kind === 'key';
      if (isIt) found.set(authority.key.id, authority.key);
    }
  }
  const [only] = found.values();
  if (only !== undefined && found.size === 1) return only;
  const says =
    found.size === 0
      ? `no policy in force has the key ${quote(ref)}, and none was handed in`
      : `policies in force have ${found.size} keys by the name ${quote(ref)}: hand in the one that is meant`;
  throw new TrustFault('impact.candidate-invalid', says);
}

function rootOf(name: string, { trustRoots }: Candidate, inForce: PolicySet): TrustedRoot {
  // The one that the release carries is nobody's to replace.
  if (name === PUBLIC_GOOD) return publicGoodTrustRoot();
  const given = Object.hasOwn(trustRoots, name) ? trustRoots[name] : undefined;
  if (given !== undefined) return { ...parseTrustedRoot(Buffer.from(given), name), name };
  const found = new Map<string, TrustedRoot>();
  for (const { document, authorities } of inForce.policies) {
    for (const [authority, { requirements }] of authorities) {
      const spec = document.authorities[authority];
      const isIt = spec !== undefined && 'trustRoot' in spec && spec.trustRoot === name;
      const { trustRoot } = requirements;
      if (isIt && trustRoot !== null) found.set(trustRoot.digest, trustRoot);
    }
  }
  const [only] = found.values();
  if (only !== undefined && found.size === 1) return only;
  const says = `the trust root ${quote(name)} is none that policies in force agree on, and none was handed in`;
  throw new TrustFault('impact.candidate-invalid', says);
}

function asCandidate(error: unknown): TrustFault {
  const fault = asFault(error);
  if (fault.code === 'internal.defect') throw fault;
  if (fault.code === 'impact.candidate-invalid') return fault;
  return new TrustFault('impact.candidate-invalid', fault.message, undefined, { cause: fault });
}
