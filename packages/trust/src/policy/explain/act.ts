import { predicateTypeOf } from '../../claims/predicate-type.ts';
import { printable } from '../../fault/fault.ts';
import type { Finding } from '../../finding/finding.ts';
import { remedyOf } from '../../finding/render-text.ts';
import type { AttestedRequirement, SignedRequirement } from '../document.ts';
import type { ReadyAuthority } from '../policy-set.ts';

/** One thing that somebody can do so that an image is admitted. */
export interface Act {
  /** Equal for acts that are one: a signature that two policies ask for is made once. */
  readonly id: string;
  /** A sentence for people. */
  readonly says: string;
  /** What does it, with what only its reader knows in capitals; null where no one command does. */
  readonly command: string | null;
}

/** What an act is about: one node of the artifact, `REGISTRY/NAME@DIGEST` or `oci:PATH@DIGEST`. */
export interface ActSubject {
  readonly repository: string;
  readonly digest: string;
}

/** The act of signing the subject as such. */
export function signAct(
  clause: SignedRequirement,
  { name, authority }: ReadyAuthority,
  subject: ActSubject,
): Act {
  const annotations = Object.entries(clause.annotations).map(([key, value]) => `${key}=${value}`);
  const carrying = annotations.length === 0 ? '' : `, with ${annotations.join(' and ')}`;
  const flags = annotations.map((annotation) => ` --annotation ${shellWord(annotation)}`).join('');
  return {
    id: `sign ${subject.digest} ${signerId(name, authority)} ${annotations.join(' ')}`,
    says: `sign ${subject.digest} ${signerWords(name, authority)}${carrying}`,
    command:
      authority?.kind === 'key' ? `bulla sign --key KEY${flags} ${referenceOf(subject)}` : null,
  };
}

/** The act of attesting a statement anew; `refused` is what was wrong with the one that decides. */
export function attestAct(
  clause: AttestedRequirement,
  { name, authority }: ReadyAuthority,
  subject: ActSubject,
  refused: readonly Finding[],
): Act {
  const signer = signerWords(name, authority);
  const type = shellWord(clause.type);
  const reasons = refused.map(({ says }) => says).join('; ');
  const what =
    refused.length === 0
      ? `attest ${clause.type} about ${subject.digest} ${signer}`
      : `the ${clause.type} statement of ${name} does not do (${reasons}): ${remedyFor(clause, refused)}, and attest the result ${signer}`;
  return {
    id: `attest ${subject.digest} ${signerId(name, authority)} ${predicateTypeOf(clause.type)} ${reasons}`,
    says: what,
    command:
      authority?.kind === 'key'
        ? `bulla attest --key KEY --type ${type} --predicate FILE ${referenceOf(subject)}`
        : null,
  };
}

/** What mends a finding that no signature mends: its own remedy, or its code's. */
export function remedyAct(finding: Finding): Act {
  const remedy = remedyOf(finding) ?? '';
  return {
    id: `${finding.code ?? ''} ${finding.says}`,
    says: `${printable(finding.says)}: ${lowered(remedy)}`,
    command: null,
  };
}

/** The act that is left when the authorities that have signed share a key or an identity. */
export function ownKeysAct(names: readonly string[], missing: number): Act {
  const says = `one key or identity counts for one authority: have ${missing} more of ${names.join(', ')} sign with a key of its own`;
  return { id: says, says, command: null };
}

function remedyFor({ type }: AttestedRequirement, refused: readonly Finding[]): string {
  if (refused.every(({ code }) => code === 'statement.too-old')) {
    return SCANS.has(predicateTypeOf(type)) ? 'scan again' : 'make it anew';
  }
  const remedies = refused.flatMap((finding) => remedyOf(finding) ?? []);
  return [...new Set(remedies)].map(lowered).join('; ');
}

const SCANS: ReadonlySet<string> = new Set([predicateTypeOf('vuln')]);

function lowered(remedy: string): string {
  const text = remedy.replace(/\.$/, '');
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

function signerWords(name: string, authority: ReadyAuthority['authority']): string {
  if (authority === null) return `as authority ${name}`;
  if (authority.kind === 'key') return `with the key of authority ${name}`;
  const { subject, issuer } = authority;
  return `as authority ${name}, whose identity is ${subject.text} of ${issuer.text}`;
}

function signerId(name: string, authority: ReadyAuthority['authority']): string {
  if (authority === null) return name;
  if (authority.kind === 'key') return authority.key.id;
  return `${authority.subject.text} ${authority.issuer.text}`;
}

function referenceOf({ repository, digest }: ActSubject): string {
  return shellWord(`${repository}@${digest}`);
}

/** A word as a shell takes it. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
