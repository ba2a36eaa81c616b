import { encodeHex } from '../bytes/hex.ts';
import type { ValidityPeriod } from '../crypto/validity-period.ts';
import type { LogKey } from '../tlog/log-key.ts';
import { parseTrustedRoot } from '../trust-root/trusted-root.ts';
import type { CertificateAuthority } from '../x509/authority.ts';
import { type Explanation, explain } from './explanation.ts';

/** What a trusted_root.json names. Throws as `parseTrustedRoot`. */
export function explainTrustedRoot(bytes: Uint8Array, name: string): Explanation {
  const root = parseTrustedRoot(bytes, name);
  return explain(
    'trusted-root',
    { mediaType: root.mediaType, checksum: root.digest, ignored: root.ignored },
    [
      ...root.certificateAuthorities.map((one) => explainAuthority('certificate-authority', one)),
      ...root.ctlogs.map((log) => explainLog('certificate-transparency-log', log)),
      ...root.tlogs.map((log) => explainLog('transparency-log', log)),
      ...root.timestampAuthorities.map((one) => explainAuthority('timestamp-authority', one)),
    ],
  );
}

function explainLog(kind: string, { baseUrl, origin, key, logId, validFor }: LogKey): Explanation {
  return explain(kind, {
    url: baseUrl,
    origin,
    id: encodeHex(logId),
    key: `${key.kind} ${key.id}`,
    valid: period(validFor),
  });
}

function explainAuthority(kind: string, authority: CertificateAuthority): Explanation {
  return explain(kind, {
    name: authority.name,
    chain: authority.chain.map(
      ({ subjectText, notAfter }) => `${subjectText} until ${day(notAfter)}`,
    ),
    valid: period(authority.validFor),
  });
}

function period({ start, end }: ValidityPeriod): string {
  const from = start === null ? 'from the beginning' : `from ${day(start)}`;
  return end === null ? `${from}, without end` : `${from} until ${day(end)}`;
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}
