import { equalBytes } from '../bytes/byte-string.ts';
import { encodeHex } from '../bytes/hex.ts';
import { quote } from '../fault/fault.ts';
import { type Finding, failed, passed } from '../finding/finding.ts';
import { type Checkpoint, verifyCheckpoint } from '../tlog/checkpoint.ts';
import { rootFromInclusionProof } from '../tlog/inclusion.ts';
import type { LogKey } from '../tlog/log-key.ts';
import { leafHash } from '../tlog/tree-hash.ts';
import type { EntryInclusionProof, LogEntry } from './entry.ts';

const CHECK = 'tlog.inclusion';
const SOURCE = 'RFC 6962 §2.1.1';

/**
 * Findings on an entry's inclusion proof: that the log signed the checkpoint, that the proof is for
 * the checkpoint's tree and the entry's index, and that it leads from the entry to the root. A
 * Rekor v2 entry has one index and its log one origin; in Rekor v1 the proof's index is the
 * shard's. Codes: those of `verifyCheckpoint`, `tlog.proof-mismatch`, `tlog.inclusion-invalid`.
 */
export async function verifyEntryInclusion(
  log: LogKey,
  entry: LogEntry,
  proof: EntryInclusionProof,
  isV1: boolean,
): Promise<readonly Finding[]> {
  const { finding, checkpoint } = await verifyCheckpoint({ checkpoint: proof.checkpoint, log });
  if (checkpoint === null) return [finding];
  if (!isV1 && checkpoint.origin !== log.origin) {
    const says = `expected the origin ${quote(log.origin)}, found ${quote(checkpoint.origin)}`;
    return [failed('tlog.checkpoint', 'tlog.checkpoint-origin', says, 'rekor-tiles CLIENTS.md')];
  }
  return [finding, checkInclusion(entry, proof, checkpoint, isV1)];
}

function checkInclusion(
  entry: LogEntry,
  proof: EntryInclusionProof,
  checkpoint: Checkpoint,
  isV1: boolean,
): Finding {
  const difference = differenceOf(entry, proof, checkpoint, isV1);
  if (difference !== null) return failed(CHECK, 'tlog.proof-mismatch', difference, SOURCE);
  const root = rootFromInclusionProof({
    leafHash: leafHash(entry.canonicalizedBody),
    index: proof.logIndex,
    size: checkpoint.size,
    proof: proof.hashes,
  });
  if (root === null) {
    const says = `${proof.hashes.length} hashes are no path from entry ${proof.logIndex} of ${checkpoint.size}`;
    return failed(CHECK, 'tlog.inclusion-invalid', says, SOURCE);
  }
  if (!equalBytes(root, checkpoint.rootHash)) {
    const says = `the proof leads to root ${encodeHex(root)}, checkpoint ${checkpoint.size} says ${encodeHex(checkpoint.rootHash)}`;
    return failed(CHECK, 'tlog.inclusion-invalid', says, SOURCE);
  }
  return passed(CHECK, `entry ${proof.logIndex} is in the tree of ${checkpoint.size}`, SOURCE);
}

/** What the proof says otherwise than its checkpoint or its entry; null when they agree. */
function differenceOf(
  entry: LogEntry,
  proof: EntryInclusionProof,
  checkpoint: Checkpoint,
  isV1: boolean,
): string | null {
  if (proof.treeSize !== checkpoint.size) {
    return `the proof is for a tree of ${proof.treeSize} entries, the checkpoint for ${checkpoint.size}`;
  }
  if (!equalBytes(proof.rootHash, checkpoint.rootHash)) {
    return `the proof is for root ${encodeHex(proof.rootHash)}, the checkpoint says ${encodeHex(checkpoint.rootHash)}`;
  }
  // rekor-tiles CLIENTS.md: v2 has one index; v1 logs are sharded and the entry's is the global one.
  if (!isV1 && proof.logIndex !== entry.logIndex) {
    return `the proof is for index ${proof.logIndex}, the entry's is ${entry.logIndex}`;
  }
  return null;
}
