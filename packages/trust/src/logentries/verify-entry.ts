import { encodeBase64 } from '../bytes/base64.ts';
import { equalBytes } from '../bytes/byte-string.ts';
import { encodeHex } from '../bytes/hex.ts';
import { covers, describePeriod } from '../crypto/validity-period.ts';
import { allOf } from '../finding/combine.ts';
import { type Finding, failed, failedBy, passed } from '../finding/finding.ts';
import type { LogKey } from '../tlog/log-key.ts';
import { verifySignedEntryTimestamp } from '../tlog/signed-entry-timestamp.ts';
import type { LogEntry } from './entry.ts';
import type { EnvelopeMaterial, MessageMaterial } from './entry-material.ts';
import { kindOfEntry, matchEntryBody } from './match-body.ts';
import { verifyEntryInclusion } from './verify-inclusion.ts';

/** What a log entry must be about: the signature, what it signs, and who made it. */
export type EntryMaterial = MessageMaterial | EnvelopeMaterial;

/** The question whether an entry proves that `material` was logged. */
export interface EntryQuestion {
  readonly entry: LogEntry;
  readonly logs: readonly LogKey[];
  readonly material: EntryMaterial;
  /** Verified times of the signature from elsewhere (RFC 3161), all of them. */
  readonly trustedTimes: readonly Date[];
  /** The present; it stands in where an entry has no trusted time, and is never one itself. */
  readonly at: Date;
  /** Whether the promise alone is not enough (bundles from 0.2 on). */
  readonly requireProof: boolean;
}

/** The finding, and the log's own signed time; null unless the whole finding passes. */
export interface EntryAnswer {
  readonly finding: Finding;
  readonly time: Date | null;
}

const CHECK = 'tlog.entry';

/**
 * Whether a log that the trust root names holds this entry, and whether the entry is about the
 * material (reference 1.15, step 6): known log, body, checkpoint and inclusion, signed entry
 * timestamp, and the period of the log's key at the entry's time. Each check is a child. Codes:
 * `tlog.*` and those of JSON. Never throws for what the entry holds.
 */
export async function verifyLogEntry(question: EntryQuestion): Promise<EntryAnswer> {
  const { entry, logs } = question;
  const body = checkBody(question);
  const named = logs.filter((log) => equalBytes(log.logId, entry.logId));
  if (named.length === 0) {
    const says = `the trust root names ${logs.length} log(s), none with the id ${encodeHex(entry.logId)}`;
    const unknown = failed('tlog.log', 'tlog.log-unknown', says, 'sigstore_trustroot.proto tlogs');
    return { finding: allOf(CHECK, [unknown, body], describeEntry(entry)), time: null };
  }
  // Logs may share an id (a key that was reused): the one whose key verifies is the entry's.
  const answers = await Promise.all(named.map((log) => verifyUnder(log, question, body)));
  const [first] = answers;
  const passing = answers.find((answer) => answer.finding.outcome === 'pass');
  return passing ?? first ?? { finding: body, time: null };
}

function describeEntry(entry: LogEntry): string {
  return `entry ${entry.logIndex}, ${entry.kind} ${entry.version}`;
}

function checkBody({ entry, material }: EntryQuestion): Finding {
  const check = 'tlog.body';
  const source = 'sigstore_rekor.proto canonicalized_body';
  try {
    matchEntryBody(entry, material);
  } catch (error) {
    return failedBy(check, error, source);
  }
  return passed(check, 'the entry is about this signature, content and signer', source);
}

async function verifyUnder(
  log: LogKey,
  question: EntryQuestion,
  body: Finding,
): Promise<EntryAnswer> {
  const { entry } = question;
  const isV1 = kindOfEntry(entry)?.rekor === 1;
  const promise = isV1 ? await checkPromise(log, entry) : checkNoPromise(entry);
  const proof = await checkProof(log, question, isV1);
  const signedTime = isV1 && promise?.outcome === 'pass' ? entry.integratedTime : null;
  const children = [
    body,
    ...proof,
    ...(promise === null ? [] : [promise]),
    checkPeriod(log, question, signedTime),
  ];
  const says = `${describeEntry(entry)} in ${log.origin}`;
  const finding = allOf(CHECK, children, says);
  return { finding, time: finding.outcome === 'pass' ? signedTime : null };
}

async function checkPromise(log: LogKey, entry: LogEntry): Promise<Finding | null> {
  if (entry.inclusionPromise === null) return null;
  const check = 'tlog.promise';
  const source = 'rekor openapi.yaml SignedEntryTimestamp';
  const holds = await verifySignedEntryTimestamp({
    body: encodeBase64(entry.canonicalizedBody),
    integratedTime: entry.integratedTimeSeconds,
    logId: entry.logId,
    logIndex: entry.logIndex,
    signedEntryTimestamp: entry.inclusionPromise,
    log,
  });
  if (!holds) {
    const says = `the signed entry timestamp is not by the key of ${log.origin} over this entry`;
    return failed(check, 'tlog.promise-invalid', says, source);
  }
  const time = entry.integratedTime?.toISOString() ?? 'no time';
  return passed(check, `${log.origin} signed that it logged the entry at ${time}`, source);
}

/** rekor-tiles CLIENTS.md: integratedTime is always 0, and there are no promises. */
function checkNoPromise(entry: LogEntry): Finding | null {
  if (entry.integratedTimeSeconds === 0n && entry.inclusionPromise === null) return null;
  const found = entry.inclusionPromise === null ? 'an integratedTime' : 'an inclusion promise';
  return failed(
    'tlog.promise',
    'tlog.integrated-time-unsigned',
    `the entry carries ${found}, which no Rekor v2 log signs`,
    'rekor-tiles CLIENTS.md, integrated_time',
  );
}

async function checkProof(
  log: LogKey,
  { entry, requireProof }: EntryQuestion,
  isV1: boolean,
): Promise<readonly Finding[]> {
  if (entry.inclusionProof !== null) {
    return verifyEntryInclusion(log, entry, entry.inclusionProof, isV1);
  }
  if (isV1 && !requireProof && entry.inclusionPromise !== null) return [];
  const says = `the entry has ${entry.inclusionPromise === null ? 'neither proof nor promise' : 'a promise and no inclusion proof'}`;
  return [failed('tlog.inclusion', 'tlog.unproven', says, 'sigstore_bundle.proto tlog_entries')];
}

/**
 * sigstore_common.proto PublicKey.valid_for: the key's period covers the entry's time. That is the
 * signed one where there is one, else every trusted time of the signature, else the present.
 */
function checkPeriod(
  log: LogKey,
  { trustedTimes, at }: EntryQuestion,
  signedTime: Date | null,
): Finding {
  const check = 'tlog.log';
  const source = 'sigstore_trustroot.proto TransparencyLogInstance, PublicKey.valid_for';
  const times = signedTime !== null ? [signedTime] : trustedTimes.length > 0 ? trustedTimes : [at];
  const outside = times.find((time) => !covers(log.validFor, time));
  const period = describePeriod(log.validFor);
  if (outside !== undefined) {
    const says = `the key of ${log.origin} is valid ${period}, not at ${outside.toISOString()}`;
    return failed(check, 'tlog.log-expired', says, source);
  }
  return passed(check, `the trust root names ${log.origin}, its key valid ${period}`, source);
}
