import { predicateTypeOf } from '@bulla/trust/claims/predicate-type';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Authority, ClaimRequirement } from '@bulla/trust/proof/authority';
import type { Wanted } from '@bulla/trust/proof/evidence';
import type { ProofRequirements } from '@bulla/trust/proof/requirements';
import type { TrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import type { VerifyQuestion } from '@bulla/trust/verify';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { identityMatcher } from './identity.ts';
import { addAnnotationOption, collect } from './repeatable.ts';

/** The options of `verify` and `blob verify` as commander gives them. */
export interface VerificationFlags {
  readonly key: readonly string[];
  readonly certificateIdentity?: string;
  readonly certificateIdentityRegexp?: string;
  readonly certificateOidcIssuer?: string;
  readonly certificateOidcIssuerRegexp?: string;
  readonly certificateGithubWorkflowTrigger?: string;
  readonly certificateGithubWorkflowSha?: string;
  readonly certificateGithubWorkflowName?: string;
  readonly certificateGithubWorkflowRepository?: string;
  readonly certificateGithubWorkflowRef?: string;
  readonly trustedRoot?: string;
  readonly annotation: Readonly<Record<string, string>>;
  readonly attested?: string;
  readonly where?: string;
  readonly atLeast?: number;
  readonly log: boolean;
  readonly sct: boolean;
  readonly timestamp: boolean;
  readonly at?: string;
}

/** Declares what must hold; the names are cosign's where the meaning is the same. */
export function addVerificationOptions(command: Command): Command {
  return addAnnotationOption(command, 'signed annotation that must be there (repeatable)')
    .addOption(
      command
        .createOption('--key <ref>', 'public key of a signer (repeatable)')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--certificate-identity <value>', 'subject that the certificate must name')
    .option('--certificate-identity-regexp <re>', 'the same as an expression, matched whole')
    .option('--certificate-oidc-issuer <value>', 'issuer that the certificate must name')
    .option('--certificate-oidc-issuer-regexp <re>', 'the same as an expression, matched whole')
    .option('--certificate-github-workflow-trigger <value>', 'event that started the workflow')
    .option('--certificate-github-workflow-sha <value>', 'commit of the workflow')
    .option('--certificate-github-workflow-name <value>', 'name of the workflow')
    .option('--certificate-github-workflow-repository <value>', 'repository of the workflow')
    .option('--certificate-github-workflow-ref <value>', 'git ref of the workflow')
    .option('--trusted-root <file>', 'trusted_root.json (default for identities: public Sigstore)')
    .option('--attested <type>', 'verify attestations of this type instead of signatures')
    .option('--where <cel>', 'expression that the attested statement must satisfy')
    .option('--at-least <n>', 'so many distinct keys must have signed (default: 1)', wholeNumber)
    .option('--no-log', 'do not ask for a transparency log entry')
    .option('--no-sct', 'do not ask for a signed certificate timestamp')
    .option('--no-timestamp', 'do not look at RFC 3161 timestamps')
    .option('--at <instant>', 'verify as of this time (RFC 3339) in place of now');
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) {
    throw new TrustFault('usage.invalid', `expected a whole number, found ${quote(text)}`);
  }
  return Number(text);
}

/** What the flags ask for, with keys and trust root opened. Throws for wrong use before any work. */
export async function verificationQuestion(
  flags: VerificationFlags,
  context: CliContext,
): Promise<VerifyQuestion> {
  const authorities = await namedAuthorities(flags, context);
  const wanted = whatIsWanted(flags);
  const keyless = authorities.some((authority) => authority.kind === 'keyless');
  const trustRoot = await openTrustRoot(flags.trustedRoot, keyless, context);
  const requirements: ProofRequirements = {
    trustRoot,
    at: flags.at === undefined ? context.clock() : instant(flags.at),
    log: flags.log,
    sct: flags.sct,
    timestamp: flags.timestamp,
  };
  return {
    authorities,
    atLeast: flags.atLeast ?? 1,
    wanted,
    condition: await openCondition(flags.where),
    requirements,
  };
}

function whatIsWanted(flags: VerificationFlags): Wanted {
  if (flags.attested === undefined) {
    if (flags.where !== undefined) {
      throw new TrustFault('usage.invalid', '--where needs --attested TYPE');
    }
    return { kind: 'signature', annotations: flags.annotation };
  }
  if (Object.keys(flags.annotation).length > 0) {
    throw new TrustFault('usage.invalid', '--annotation is about signatures, not about --attested');
  }
  return { kind: 'attestation', predicateType: predicateTypeOf(flags.attested) };
}

async function openCondition(expression: string | undefined): Promise<VerifyQuestion['condition']> {
  if (expression === undefined) return null;
  const { openExpressionRunner } = await import('@bulla/trust/policy/cel/runner');
  const runner = openExpressionRunner();
  await runner.checkExpression(expression);
  return { expression, runner, deadlineMs: 2000 };
}

function instant(text: string): Date {
  const date = new Date(text);
  if (
    !/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text) ||
    Number.isNaN(date.getTime())
  ) {
    throw new TrustFault(
      'usage.invalid',
      `expected an RFC 3339 instant at --at, found ${quote(text)}`,
    );
  }
  return date;
}

async function namedAuthorities(
  flags: VerificationFlags,
  context: CliContext,
): Promise<readonly Authority[]> {
  const keys = await Promise.all(flags.key.map((reference) => keyAuthority(reference, context)));
  const identity = identityAuthority(flags);
  const authorities = identity === null ? keys : [...keys, identity];
  if (authorities.length > 0) return authorities;
  throw new TrustFault(
    'usage.invalid',
    'nothing says who must have signed',
    'Give --key FILE, or --certificate-identity VALUE with --certificate-oidc-issuer VALUE.',
  );
}

async function keyAuthority(text: string, context: CliContext): Promise<Authority> {
  const [{ parseKeyReference }, { openPublicKey }, { keyFileIo }] = await Promise.all([
    import('@bulla/trust/keys/file/reference'),
    import('@bulla/trust/keys/file/open'),
    import('@bulla/trust/keys/file/disk'),
  ]);
  const key = await openPublicKey(parseKeyReference(text), keyFileIo(context.env));
  return { kind: 'key', name: `key ${text}`, key };
}

function identityAuthority(flags: VerificationFlags): Authority | null {
  const subject = identityMatcher(
    flags.certificateIdentity,
    flags.certificateIdentityRegexp,
    '--certificate-identity',
  );
  const issuer = identityMatcher(
    flags.certificateOidcIssuer,
    flags.certificateOidcIssuerRegexp,
    '--certificate-oidc-issuer',
  );
  const claims = claimRequirements(flags);
  if (subject === null && issuer === null && claims.length === 0) return null;
  if (subject === null || issuer === null) {
    throw new TrustFault(
      'usage.invalid',
      'an identity is an issuer and a subject, and only one of them was given',
      'Give --certificate-identity and --certificate-oidc-issuer, or their -regexp forms.',
    );
  }
  return {
    kind: 'keyless',
    name: `identity ${subject.text} by ${issuer.text}`,
    issuer,
    subject,
    claims,
  };
}

function claimRequirements(flags: VerificationFlags): readonly ClaimRequirement[] {
  const asked: readonly (readonly [string, string | undefined])[] = [
    ['githubWorkflowTrigger', flags.certificateGithubWorkflowTrigger],
    ['githubWorkflowSha', flags.certificateGithubWorkflowSha],
    ['githubWorkflowName', flags.certificateGithubWorkflowName],
    ['githubWorkflowRepository', flags.certificateGithubWorkflowRepository],
    ['githubWorkflowRef', flags.certificateGithubWorkflowRef],
  ];
  return asked.flatMap(([claim, value]) => (value === undefined ? [] : [{ claim, value }]));
}

/** The trust root of a file; for identities without one, the public root that the release carries. */
export async function openTrustRoot(
  path: string | undefined,
  keyless: boolean,
  context: CliContext,
): Promise<TrustedRoot | null> {
  if (path !== undefined) {
    const [{ parseTrustedRoot }, { readNamedFile }] = await Promise.all([
      import('@bulla/trust/trust-root/trusted-root'),
      import('./wrong-use.ts'),
    ]);
    const { signal } = context;
    return readNamedFile({ path, maxBytes: 4 << 20, signal }, 'usage.trust-root', (bytes) =>
      parseTrustedRoot(bytes, path),
    );
  }
  if (!keyless) return null;
  const { publicGoodTrustRoot, PUBLIC_GOOD_DATE } = await import(
    '@bulla/trust/trust-root/public-good'
  );
  context.err(`trust root: public Sigstore as of ${PUBLIC_GOOD_DATE}, carried by this release`);
  return publicGoodTrustRoot();
}
