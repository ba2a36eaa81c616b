import type { X509Certificate } from 'node:crypto';
import {
  daysLeft,
  isIssuedFor,
  issueAuthority,
  issueServer,
  type KeyType,
  type Pair,
  vouchesFor,
} from '../http/tls/issue.ts';

/** An authority that signs no more, and the end of the last certificate that it signed. */
export interface FormerAuthority {
  readonly certificate: X509Certificate;
  readonly until: Date;
}

/** What the replicas share: who signs, what is served, and who else is to be trusted meanwhile. */
export interface CertificateState {
  readonly authority: Pair;
  /** By `authority`. */
  readonly served: Pair;
  /** The authority to come: it signs nothing before every configuration carries it. */
  readonly next: Pair | null;
  readonly former: readonly FormerAuthority[];
}

/** What the certificates are to be, and how far the configurations are. */
export interface Facts {
  /** `bulla.bulla-system.svc`, … */
  readonly names: readonly string[];
  readonly keyType: KeyType;
  readonly at: Date;
  /** How long every configuration was seen to carry the bundle of the state; 0 when one does not. */
  readonly carriedMs: number;
}

const CA_DAYS = 365;
const CA_RENEW_DAYS = 120;
const LEAF_DAYS = 60;
const LEAF_RENEW_DAYS = 20;
/** API servers hear of a changed configuration by a watch of their own. */
const SETTLED_MS = 60_000;

/**
 * The next step of the rotation, or the same object when there is nothing to do. One step at a time:
 * a new authority 120 days before the end of the old one; its first certificate when every
 * configuration has carried both for a minute; and the old one goes when the last certificate that it
 * signed has ended, so that no replica can still serve one. Without a state, or when its authority
 * has ended or is for other names, all is made anew at once.
 */
export function advance(state: CertificateState | null, facts: Facts): CertificateState {
  const { names, keyType, at, carriedMs } = facts;
  if (state === null || daysLeft(state.authority, at) <= 0 || !vouchesFor(state.authority, names)) {
    return fresh(state, facts);
  }
  const { authority, served, next } = state;
  if (
    next !== null &&
    (!vouchesFor(next, names) || next.key.asymmetricKeyType !== nodeType(keyType))
  ) {
    return { ...state, next: makeAuthority(facts) };
  }
  if (next !== null && carriedMs >= SETTLED_MS) {
    return {
      authority: next,
      served: makeLeaf(next, facts),
      next: null,
      former: [...state.former, formerOf(state)],
    };
  }
  if (!isIssuedFor(served, authority, names))
    return { ...state, served: makeLeaf(authority, facts) };
  // Near the end of its authority a new certificate would last no longer.
  const canLast = authority.certificate.validToDate > served.certificate.validToDate;
  if (daysLeft(served, at) < LEAF_RENEW_DAYS && canLast) {
    return { ...state, served: makeLeaf(authority, facts) };
  }
  const isOld = daysLeft(authority, at) < CA_RENEW_DAYS;
  if (next === null && (isOld || authority.key.asymmetricKeyType !== nodeType(keyType))) {
    return { ...state, next: makeAuthority(facts) };
  }
  const former = state.former.filter(({ until }) => until > at);
  return former.length === state.former.length ? state : { ...state, former };
}

/** Every authority that callers must trust, in PEM, the signing one first: the `caBundle`. */
export function bundleOf({ authority, next, former }: CertificateState): string {
  const all = [authority, ...(next === null ? [] : [next]), ...former];
  return all.map(({ certificate }) => certificate.toString()).join('');
}

function fresh(before: CertificateState | null, facts: Facts): CertificateState {
  const authority = makeAuthority(facts);
  const former =
    before === null
      ? []
      : [...before.former, formerOf(before)].filter(({ until }) => until > facts.at);
  return { authority, served: makeLeaf(authority, facts), next: null, former };
}

function formerOf({ authority, served }: CertificateState): FormerAuthority {
  return { certificate: authority.certificate, until: served.certificate.validToDate };
}

function nodeType(keyType: KeyType): 'rsa' | 'ec' {
  return keyType === 'rsa' ? 'rsa' : 'ec';
}

function makeAuthority({ names, keyType, at }: Facts): Pair {
  return issueAuthority({ subject: 'Bulla webhook CA', names, at, days: CA_DAYS, keyType });
}

function makeLeaf(authority: Pair, { names, keyType, at }: Facts): Pair {
  return issueServer(authority, { subject: 'Bulla webhook', names, at, days: LEAF_DAYS, keyType });
}
