import { anyOf } from '../finding/combine.ts';
import { type Finding, failed, skipped } from '../finding/finding.ts';
import { verifyLogEntry } from '../logentries/verify-entry.ts';
import { verifyTimestamp } from '../timestamp/verify.ts';
import type { ProofRequirements } from './requirements.ts';
import type { SignedMaterial } from './signed-material.ts';

/** At most so many timestamps and entries of one signature are looked at. */
const MAX_TIMESTAMPS = 16;
const MAX_ENTRIES = 16;

/** Findings about one kind of proof, and the instants that it proved. */
export interface TimedFindings {
  readonly findings: readonly Finding[];
  readonly times: readonly Date[];
}

/** Verifies each timestamp over the raw signature; skipped when the caller switched them off. */
export async function checkTimestamps(
  material: SignedMaterial,
  requirements: ProofRequirements,
): Promise<TimedFindings> {
  if (material.timestamps.length === 0) return { findings: [], times: [] };
  if (!requirements.timestamp) {
    return { findings: [skipped('timestamp', 'timestamps are switched off')], times: [] };
  }
  if (requirements.trustRoot === null) {
    return {
      findings: [skipped('timestamp', 'no trust root was given, so no timestamp can be checked')],
      times: [],
    };
  }
  const authorities = requirements.trustRoot.timestampAuthorities;
  const answers = await Promise.all(
    material.timestamps
      .slice(0, MAX_TIMESTAMPS)
      .map((timestamp) =>
        verifyTimestamp({ timestamp, signature: material.signature, authorities }),
      ),
  );
  return {
    findings: answers.map((answer) => answer.finding),
    times: answers.flatMap(({ finding, time }) =>
      finding.outcome === 'pass' && time !== null ? [time] : [],
    ),
  };
}

/**
 * The finding about the log, and the instants that verified SETs prove. One entry that verifies is
 * enough; entries that do not are shown beside it.
 */
export async function checkLog(
  material: SignedMaterial,
  requirements: ProofRequirements,
  timestampTimes: readonly Date[],
): Promise<TimedFindings> {
  const off = whyNoLog(material, requirements);
  if (off !== null) return { findings: [off], times: [] };
  const { trustRoot, at } = requirements;
  const about = material.entryMaterial();
  const answers = await Promise.all(
    material.entries.slice(0, MAX_ENTRIES).map((entry) =>
      verifyLogEntry({
        entry,
        logs: trustRoot?.tlogs ?? [],
        material: about,
        trustedTimes: timestampTimes,
        at,
        requireProof: material.requireProof,
      }),
    ),
  );
  const finding = anyOf(
    'tlog',
    answers.map((answer) => answer.finding),
    `${answers.filter((answer) => answer.finding.outcome === 'pass').length} of ${material.entries.length} log entries hold`,
  );
  const times = answers.flatMap(({ finding: entry, time }) =>
    entry.outcome === 'pass' && time !== null ? [time] : [],
  );
  return { findings: [finding], times };
}

function whyNoLog(material: SignedMaterial, requirements: ProofRequirements): Finding | null {
  const { trustRoot, log } = requirements;
  if (!log) return skipped('tlog', 'the log is switched off (--no-log)');
  if (trustRoot === null) return skipped('tlog', 'no trust root was given, so no log is asked for');
  if (material.entries.length > 0) return null;
  if (trustRoot.tlogs.length === 0) {
    return skipped('tlog', `the trust root ${trustRoot.name} names no log`);
  }
  return failed(
    'tlog',
    'proof.log-missing',
    `the trust root ${trustRoot.name} names ${trustRoot.tlogs.length} log(s) and the evidence has no entry`,
    'Sigstore client spec §Verification',
  );
}
