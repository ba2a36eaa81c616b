import { parseJson } from '../bytes/json.ts';
import { asString, type Cursor, cursor, member } from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { matchDsseV1, matchDsseV2 } from './dsse.ts';
import type { LogEntry } from './entry.ts';
import type { EnvelopeMaterial, MessageMaterial } from './entry-material.ts';
import { matchHashedRekordV1, matchHashedRekordV2 } from './hashedrekord.ts';
import { matchIntotoV2 } from './intoto.ts';

type Material = MessageMaterial | EnvelopeMaterial;

/** A kind and version of entry that Bulla knows. */
export interface EntryKind {
  /** 1: signed entry timestamps, sharded indexes. 2: tiles, neither of them. */
  readonly rekor: 1 | 2;
  readonly match: (spec: Cursor, material: Material) => void;
}

/** An entry kind that logs envelopes only. */
function envelopeOnly(match: (spec: Cursor, material: EnvelopeMaterial) => void) {
  return (spec: Cursor, material: Material): void => {
    if (material.kind !== 'dsse') {
      throw new TrustFault(
        'tlog.entry-mismatch',
        'the entry logs an envelope, the evidence is a bare signature',
      );
    }
    match(spec, material);
  };
}

const KINDS: ReadonlyMap<string, EntryKind> = new Map([
  ['hashedrekord 0.0.1', { rekor: 1, match: matchHashedRekordV1 }],
  ['hashedrekord 0.0.2', { rekor: 2, match: matchHashedRekordV2 }],
  ['dsse 0.0.1', { rekor: 1, match: envelopeOnly(matchDsseV1) }],
  ['dsse 0.0.2', { rekor: 2, match: envelopeOnly(matchDsseV2) }],
  // intoto 0.0.1 logs no signature, so nothing ties it to the evidence.
  ['intoto 0.0.2', { rekor: 1, match: envelopeOnly(matchIntotoV2) }],
]);

/** The kind of an entry as its bundle names it; null for one that Bulla does not know. */
export function kindOfEntry(entry: Pick<LogEntry, 'kind' | 'version'>): EntryKind | null {
  return KINDS.get(`${entry.kind} ${entry.version}`) ?? null;
}

function bodyCursor(body: Uint8Array): Cursor {
  return cursor(parseJson(body, 'the log entry’s body'), 'body', 'tlog.entry-malformed');
}

/**
 * Throws unless the entry's body is of the kind that the bundle names and is about `material`
 * (reference: the substitution of a valid entry of another signature). Codes:
 * `tlog.entry-unsupported`, `tlog.entry-malformed`, `tlog.entry-mismatch`, and those of JSON.
 */
export function matchEntryBody(entry: LogEntry, material: Material): void {
  const kind = kindOfEntry(entry);
  if (kind === null) {
    throw new TrustFault(
      'tlog.entry-unsupported',
      `the entry is of kind ${quote(entry.kind)} version ${quote(entry.version)}`,
    );
  }
  const at = bodyCursor(entry.canonicalizedBody);
  const found = `${asString(member(at, 'kind'))} ${asString(member(at, 'apiVersion'))}`;
  if (found !== `${entry.kind} ${entry.version}`) {
    throw new TrustFault(
      'tlog.entry-mismatch',
      `the entry says it is ${entry.kind} ${entry.version}, its body ${quote(found)}`,
    );
  }
  kind.match(member(at, 'spec'), material);
}
