import { covers, describePeriod } from '../crypto/validity-period.ts';
import { allOf, anyOf } from '../finding/combine.ts';
import { type Finding, failed, passed, skipped } from '../finding/finding.ts';
import type { Certificate } from '../x509/certificate.ts';
import { verifyChain } from '../x509/chain.ts';
import { verifyScts } from '../x509/sct.ts';
import type { Authority, KeyAuthority, KeylessAuthority } from './authority.ts';
import { checkIdentity } from './identity.ts';
import type { ProofRequirements } from './requirements.ts';
import type { SignedMaterial } from './signed-material.ts';
import { checkLog, checkTimestamps } from './trusted-time.ts';

/** The signer as far as it could be proved: findings in the order of the procedure. */
export interface SignerProof {
  readonly findings: readonly Finding[];
  readonly principals: readonly string[];
  readonly time: Date | null;
  readonly validUntil: Date | null;
}

/**
 * Proves that `material` was signed by `authority`: trusted times, certificate chain, SCT,
 * identity and log (reference 1.15, steps 2 to 6). The signature itself is the format's to check,
 * because only it knows the signed bytes. Never throws for what the material holds.
 */
export function proveSigner(
  material: SignedMaterial,
  authority: Authority,
  requirements: ProofRequirements,
): Promise<SignerProof> {
  return authority.kind === 'key'
    ? proveKey(material, authority, requirements)
    : proveKeyless(material, authority, requirements);
}

async function proveKey(
  material: SignedMaterial,
  authority: KeyAuthority,
  requirements: ProofRequirements,
): Promise<SignerProof> {
  const { certificate } = material;
  if (certificate !== null && certificate.publicKey.id !== authority.key.id) {
    return refused(
      `${authority.name} is a key, and the evidence was signed with a certificate of another key`,
    );
  }
  const stamps = await checkTimestamps(material, requirements);
  const log = await checkLog(material, requirements, stamps.times);
  const times = [...stamps.times, ...log.times];
  return {
    findings: [...keyTime(authority, stamps.findings, times, requirements), ...log.findings],
    principals: [`key:${authority.key.id}`],
    time: earliest(times),
    validUntil: authority.validFor?.end ?? null,
  };
}

/** A key needs no trusted time, unless it has a validity period (reference 1.15, last line). */
function keyTime(
  authority: KeyAuthority,
  stamps: readonly Finding[],
  times: readonly Date[],
  requirements: ProofRequirements,
): readonly Finding[] {
  const { validFor } = authority;
  if (validFor === undefined || (validFor.start === null && validFor.end === null)) {
    if (stamps.length === 0) return [];
    const held = stamps.filter((stamp) => stamp.outcome === 'pass').length;
    const checked = anyOf('timestamps', stamps, `${held} of ${stamps.length} timestamps hold`);
    if (checked.outcome === 'pass') return [checked];
    const note = 'a key needs no trusted time; the timestamps do not count';
    return [{ ...skipped('timestamps', note), because: stamps }];
  }
  const instants = times.length > 0 ? times : [requirements.at];
  const outside = instants.find((instant) => !covers(validFor, instant));
  const period = describePeriod(validFor);
  return [
    ...stamps,
    outside === undefined
      ? passed('proof.key-validity', `the key is valid ${period}`)
      : failed(
          'proof.key-validity',
          'proof.key-expired',
          `signed at ${outside.toISOString()}, the key is valid ${period}`,
        ),
  ];
}

async function proveKeyless(
  material: SignedMaterial,
  authority: KeylessAuthority,
  requirements: ProofRequirements,
): Promise<SignerProof> {
  const { certificate } = material;
  if (certificate === null) {
    return refused(`${authority.name} is an identity, and the evidence was signed with a bare key`);
  }
  if (requirements.trustRoot === null) {
    const says = 'an identity needs a trust root, and none was given';
    return refusedBy(failed('proof.trust-root', 'proof.no-trust-root', says));
  }
  const stamps = await checkTimestamps(material, requirements);
  const log = await checkLog(material, requirements, stamps.times);
  const times = distinct([...stamps.times, ...log.times]);
  const chain = await checkChain(material, certificate, times, requirements);
  const identity = checkIdentity(certificate, authority);
  return {
    findings: [
      trustedTime(certificate, stamps.findings, log.times, times),
      ...chain.findings,
      identity.finding,
      ...log.findings,
    ],
    principals: [`key:${certificate.publicKey.id}`, ...identity.principals],
    time: earliest(times),
    validUntil: chain.validUntil,
  };
}

/** A short-lived certificate needs a verified SET or timestamp (semantics 10). */
function trustedTime(
  certificate: Certificate,
  stamps: readonly Finding[],
  entryTimes: readonly Date[],
  times: readonly Date[],
): Finding {
  const source = 'Sigstore client spec §Verification, semantics 10';
  const sets = entryTimes.map((time) =>
    passed('tlog.signed-entry-timestamp', `logged at ${time.toISOString()}`, 'Rekor v1 SET'),
  );
  const children = [...stamps, ...sets];
  if (times.length === 0) {
    const period = `${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}`;
    const says = `no verified timestamp or signed entry says when this certificate (${period}) was used`;
    return {
      ...failed('proof.time', 'proof.no-trusted-time', says, source),
      ...(children.length === 0 ? {} : { needs: 'any', because: children }),
    };
  }
  const says = `signed at ${times.map((time) => time.toISOString()).join(', ')}`;
  return anyOf('proof.time', children, says, { source });
}

/** The chain must hold at each trusted time, and the SCT under the issuer that the chain found. */
async function checkChain(
  material: SignedMaterial,
  leaf: Certificate,
  times: readonly Date[],
  requirements: ProofRequirements,
): Promise<{ readonly findings: readonly Finding[]; readonly validUntil: Date | null }> {
  const { trustRoot } = requirements;
  if (trustRoot === null) return { findings: [], validUntil: null };
  const options = {
    leaf,
    intermediates: material.intermediates,
    authorities: trustRoot.certificateAuthorities,
    usage: 'codeSigning',
  } as const;
  // Without a trusted time the proof has failed; the chain is still shown, at the leaf's own start.
  const instants = times.length > 0 ? times : [leaf.notBefore];
  const answers = await Promise.all(instants.map((at) => verifyChain({ ...options, at })));
  const chain = allOf(
    'x509.chain',
    answers.map((answer) => answer.finding),
    'the certificate leads to the trust root',
  );
  const found = answers.find((answer) => answer.path !== null);
  const issuer = found?.path?.[1] ?? found?.path?.[0];
  const only = answers[0];
  return {
    findings: [
      answers.length === 1 && only !== undefined ? only.finding : chain,
      await checkSct(leaf, issuer, requirements),
    ],
    validUntil: found?.authority?.validFor.end ?? null,
  };
}

async function checkSct(
  leaf: Certificate,
  issuer: Certificate | undefined,
  requirements: ProofRequirements,
): Promise<Finding> {
  if (!requirements.sct) return skipped('x509.sct', 'the SCT is switched off (--no-sct)');
  if (issuer === undefined) {
    const says = 'an SCT is bound to its issuer, and no issuer of the certificate is trusted';
    return failed('x509.sct', 'x509.untrusted', says, 'RFC 6962 §3.2');
  }
  return await verifyScts({ leaf, issuer, ctLogs: requirements.trustRoot?.ctlogs ?? [] });
}

function refused(says: string): SignerProof {
  return refusedBy(failed('proof.material', 'proof.material-mismatch', says));
}

function refusedBy(finding: Finding): SignerProof {
  return { findings: [finding], principals: [], time: null, validUntil: null };
}

function distinct(times: readonly Date[]): readonly Date[] {
  return [...new Map(times.map((time) => [time.getTime(), time])).values()];
}

function earliest(times: readonly Date[]): Date | null {
  return times.reduce<Date | null>(
    (first, time) => (first === null || time < first ? time : first),
    null,
  );
}
