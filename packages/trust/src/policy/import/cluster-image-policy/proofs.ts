import type { CipAuthority, KeylessSource } from './document.ts';
import { type ImportNote, noteOf } from './note.ts';

/** The proofs that an authority asks for, by the words of a TrustPolicy. */
export interface ImportedProofs {
  /** Null: a key alone, and no log. */
  readonly trustRoot: string | null;
  readonly proof: Readonly<Partial<Record<'log' | 'sct' | 'timestamp', 'off'>>> | null;
  readonly notes: readonly ImportNote[];
}

/** A clause that has no words here; whoever has one is refused. */
export interface Refusal {
  readonly refused: ImportNote;
}

const PUBLIC_GOOD = 'public-good';
const PUBLIC_FULCIO = /^https:\/\/fulcio\.sigstore\.dev\/?$/;
const PUBLIC_REKOR = /^https:\/\/rekor\.sigstore\.dev\/?$/;

function refuse(place: ImportNote['place'], what: string, why: string): Refusal {
  return { refused: noteOf(place, 'refuses', what, why) };
}

/**
 * The trust root and proofs of a keyless authority (PC-7, PC-10, PC-11;
 * pkg/webhook/validator.go checkOptsFromAuthority). One trust root vouches for all of them here.
 */
export function keylessProofs(
  authority: CipAuthority,
  keyless: KeylessSource,
): ImportedProofs | Refusal {
  const { place, caCert, trustRootRef: root, url, ignoresSct } = keyless;
  if (caCert) return refuse(place, 'ca-cert', 'policy-controller itself refuses whatever has it');
  if (root === PUBLIC_GOOD) return reserved(place);
  if (root === null && url !== null && !PUBLIC_FULCIO.test(url)) {
    return refuse(place, `url ${url}`, 'no trustRootRef says whose certificates it gives out');
  }
  const sct = ignoresSct ? { sct: 'off' as const } : {};
  const trustRoot = root ?? PUBLIC_GOOD;
  const time = trustedTime(authority, root);
  if ('refused' in time) return time;
  return {
    trustRoot,
    proof: { ...sct, ...(time.by === 'log' ? { timestamp: 'off' } : { log: 'off' }) },
    notes: time.notes,
  };
}

type Time = { readonly by: 'log' | 'timestamp'; readonly notes: readonly ImportNote[] };

/** A short-lived certificate needs one of the two (semantics 10). */
function trustedTime(authority: CipAuthority, root: string | null): Time | Refusal {
  const { ctlog, timestamp, format, place } = authority;
  if (timestamp !== null) {
    if (timestamp.trustRootRef !== root) {
      return refuse(
        timestamp.place,
        'rfc3161timestamp',
        'its trust root is not that of the signer',
      );
    }
    if (root === null && format === 'legacy') {
      return refuse(timestamp.place, 'rfc3161timestamp', 'it names no trust root');
    }
    const what = 'ctlog beside rfc3161timestamp';
    const why = 'the timestamp takes the place of the log entry, as in policy-controller';
    const notes = ctlog === null ? [] : [noteOf(ctlog.place, 'same', what, why)];
    return { by: 'timestamp', notes };
  }
  if (ctlog === null) {
    if (root === null || format === 'bundle') return { by: 'log', notes: [] };
    const why = 'policy-controller then looks at no log, so that nothing proves when it was signed';
    return refuse(place, 'no ctlog beside keyless.trustRootRef', why);
  }
  if (ctlog.trustRootRef !== root) {
    return refuse(ctlog.place, 'ctlog.trustRootRef', 'it is not the trust root of the signer');
  }
  if (root === null && ctlog.url === null) {
    return refuse(ctlog.place, 'an empty ctlog', 'policy-controller then looks at no log');
  }
  return withLog(ctlog.url, root, ctlog.place);
}

function withLog(
  url: string | null,
  root: string | null,
  place: ImportNote['place'],
): Time | Refusal {
  if (root === null && url !== null && !PUBLIC_REKOR.test(url)) {
    return refuse(place, `ctlog.url ${url}`, 'no trustRootRef says by which keys it signs');
  }
  const why = 'the log is not asked: the entry must lie beside the signature';
  const notes = url === null ? [] : [noteOf(place, 'stricter', `ctlog.url ${url}`, why)];
  return { by: 'log', notes };
}

function reserved(place: ImportNote['place']): Refusal {
  const why = 'here that name is the public Sigstore root; give yours another';
  return refuse(place, `trustRootRef ${PUBLIC_GOOD}`, why);
}

/** The same of a key (PC-10): without `ctlog` no log is looked at, with it an entry is needed. */
export function keyProofs({ ctlog, timestamp }: CipAuthority): ImportedProofs | Refusal {
  if (timestamp !== null) {
    const why = 'a timestamp is looked at beside a key, and cannot be asked for';
    return refuse(timestamp.place, 'rfc3161timestamp', why);
  }
  const root = ctlog?.trustRootRef ?? null;
  if (ctlog === null || (root === null && ctlog.url === null)) {
    return { trustRoot: null, proof: null, notes: [] };
  }
  if (root === PUBLIC_GOOD) return reserved(ctlog.place);
  const log = withLog(ctlog.url, root, ctlog.place);
  if ('refused' in log) return log;
  return { trustRoot: root ?? PUBLIC_GOOD, proof: { timestamp: 'off' }, notes: log.notes };
}
