import { encodeHex } from '../bytes/hex.ts';
import type { LogEntry } from '../logentries/entry.ts';
import { findSigner } from '../timestamp/signer.ts';
import { parseTimestamp } from '../timestamp/token.ts';
import { parseCheckpoint } from '../tlog/checkpoint.ts';
import { parseNote } from '../tlog/note.ts';
import type { SignerId } from '../x509/cms.ts';
import { formatName, parseName } from '../x509/name.ts';
import { type Explanation, explain, explainPart } from './explanation.ts';

/** What a log entry says: index, log, kind, the times and tree sizes that it claims. */
export function explainLogEntry(entry: LogEntry): Explanation {
  const { inclusionProof: proof } = entry;
  return explain(
    'log-entry',
    {
      index: entry.logIndex,
      log: encodeHex(entry.logId),
      entryKind: `${entry.kind} ${entry.version}`,
      integratedTime: entry.integratedTime,
      proof:
        [
          ...(entry.inclusionPromise === null ? [] : ['signed entry timestamp']),
          ...(proof === null ? [] : ['inclusion proof']),
        ].join(' and ') || 'none',
      treeSize: proof?.treeSize,
      indexInTree: proof?.logIndex,
      rootHash: proof === null ? null : encodeHex(proof.rootHash),
    },
    proof === null ? [] : [explainPart('checkpoint', () => explainCheckpoint(proof.checkpoint))],
  );
}

function explainCheckpoint(text: string): Explanation {
  const note = parseNote(text, 'the checkpoint');
  const { origin, size } = parseCheckpoint(note, 'the checkpoint');
  return explain('checkpoint', {
    origin,
    size,
    signedBy: note.signatures.map(({ name }) => name),
  });
}

/** What an RFC 3161 timestamp says: the time and who claims it. Throws as `parseTimestamp`. */
export function explainTimestamp(bytes: Uint8Array): Explanation {
  const timestamp = parseTimestamp(bytes);
  const { signer } = findSigner(timestamp.signedData, []);
  const { imprint } = timestamp;
  return explain('timestamp', {
    time: timestamp.genTime,
    authority: signer?.subjectText ?? describeSigner(timestamp.signedData.signer.id),
    policy: timestamp.policy,
    serial: timestamp.serial.toString(16),
    accuracyMs: timestamp.accuracyMs,
    of: `${imprint.hash ?? imprint.oid}:${encodeHex(imprint.digest)}`,
  });
}

/** A timestamp without certificates names its signer by who issued the certificate. */
function describeSigner(id: SignerId): string {
  if (id.kind === 'subject-key-id') return `key ${encodeHex(id.keyId)}`;
  const issuer = formatName(parseName(id.issuer, 'the timestamp'));
  return `certificate ${id.serial.toString(16)} issued by ${issuer}`;
}
