import { equalBytes } from '../bytes/byte-string.ts';
import { covers, describePeriod } from '../crypto/validity-period.ts';
import { printable } from '../fault/fault.ts';
import { type Finding, failed, passed } from '../finding/finding.ts';
import type { CertificateAuthority } from './authority.ts';
import type { Certificate } from './certificate.ts';
import { OID } from './object-identifiers.ts';

/** What the leaf was used for. */
export type CertificateUsage = 'codeSigning' | 'timeStamping';

/** How a certificate is called in a finding: its subject, its names, or its serial number. */
export function describeCertificate(certificate: Certificate): string {
  const name = certificate.alternativeNames[0]?.value;
  if (certificate.subjectText !== '') return printable(certificate.subjectText);
  return name === undefined ? `serial ${certificate.serial.toString(16)}` : printable(name);
}

/** Every certificate, the anchor too, is valid at `at`; both ends are inclusive. */
export function checkValidity(path: readonly Certificate[], at: Date): Finding {
  const check = 'x509.validity';
  const source = 'RFC 5280 §6.1.3';
  const instant = at.toISOString();
  for (const certificate of path) {
    const { notBefore, notAfter } = certificate;
    if (at >= notBefore && at <= notAfter) continue;
    const period = describePeriod({ start: notBefore, end: notAfter });
    const says = `${describeCertificate(certificate)} is valid ${period}, not at ${instant}`;
    const code = at < notBefore ? 'x509.not-yet-valid' : 'x509.expired';
    return failed(check, code, says, source);
  }
  return passed(check, `all ${path.length} certificates are valid at ${instant}`, source);
}

/** The trust root trusts the authority at `at`. */
export function checkAuthorityPeriod(authority: CertificateAuthority, at: Date): Finding {
  const check = 'x509.authority-period';
  const source = 'sigstore_trustroot.proto CertificateAuthority.valid_for';
  const period = describePeriod(authority.validFor);
  const name = printable(authority.name);
  if (covers(authority.validFor, at)) {
    return passed(check, `${name} is trusted ${period}`, source);
  }
  const says = `${name} is trusted ${period}, not at ${at.toISOString()}`;
  return failed(check, 'x509.authority-period', says, source);
}

/** Every issuer is a CA and has no more CA certificates below it than it allows. */
export function checkBasicConstraints(path: readonly Certificate[]): Finding {
  const check = 'x509.basic-constraints';
  const source = 'RFC 5280 §6.1.4 (k)–(m)';
  let below = 0;
  for (const issuer of path.slice(1)) {
    const name = describeCertificate(issuer);
    if (!issuer.isCa) {
      return failed(check, 'x509.not-a-ca', `${name} issued a certificate and is no CA`, source);
    }
    if (issuer.pathLength !== null && below > issuer.pathLength) {
      const says = `${name} allows ${issuer.pathLength} CA(s) below it, the chain has ${below}`;
      return failed(check, 'x509.path-length', says, source);
    }
    // RFC 5280 §6.1.4 (l): self-issued certificates do not count.
    if (!equalBytes(issuer.issuer, issuer.subject)) below++;
  }
  return passed(check, 'every issuer is a CA within its path length', source);
}

/** CAs may sign certificates, the leaf may sign data; where there is no extension, all is allowed. */
export function checkKeyUsage(path: readonly Certificate[], usage: CertificateUsage): Finding {
  const check = 'x509.key-usage';
  const source = 'RFC 5280 §4.2.1.3';
  const [leaf, ...issuers] = path;
  const refused = issuers.find((issuer) => issuer.keyUsage?.has('keyCertSign') === false);
  if (refused !== undefined) {
    const says = `${describeCertificate(refused)} may not sign certificates`;
    return failed(check, 'x509.usage', says, source);
  }
  const allowed = leaf?.keyUsage ?? null;
  // RFC 5280 §4.2.1.12: a timestamp is also consistent with nonRepudiation.
  const signs =
    allowed === null ||
    allowed.has('digitalSignature') ||
    (usage === 'timeStamping' && allowed.has('nonRepudiation'));
  if (leaf === undefined || !signs) {
    const says = `the leaf may be used for ${[...(allowed ?? [])].join(', ')}, not for signatures`;
    return failed(check, 'x509.usage', says, source);
  }
  return passed(check, 'the leaf may sign, its issuers may sign certificates', source);
}

/**
 * The leaf has the purpose: for timestamps as its only one and critical (RFC 3161 §2.3). A CA that
 * names purposes names this one (the nesting that all verifiers of the field apply).
 */
export function checkExtendedKeyUsage(
  path: readonly Certificate[],
  usage: CertificateUsage,
): Finding {
  const check = 'x509.extended-key-usage';
  const source = usage === 'timeStamping' ? 'RFC 3161 §2.3' : 'RFC 5280 §4.2.1.12';
  const purpose = OID[usage];
  const [leaf, ...issuers] = path;
  const purposes = leaf?.extendedKeyUsage ?? [];
  const fail = (says: string) => failed(check, 'x509.usage', says, source);
  if (!purposes.includes(purpose)) {
    return fail(`the leaf is for ${purposes.join(', ') || 'no stated purpose'}, not for ${usage}`);
  }
  if (usage === 'timeStamping' && purposes.length !== 1) {
    return fail(`the leaf has ${purposes.length} purposes, timeStamping must be the only one`);
  }
  if (usage === 'timeStamping' && leaf?.extensions.get(OID.extendedKeyUsage)?.critical !== true) {
    return fail('the leaf’s extended key usage is not critical');
  }
  const other = issuers.find(({ extendedKeyUsage: allowed }) =>
    [purpose, OID.anyExtendedKeyUsage].every((oid) => allowed?.includes(oid) === false),
  );
  if (other !== undefined) return fail(`${describeCertificate(other)} is a CA for other purposes`);
  return passed(check, `the chain is for ${usage}`, source);
}

// Certificate policies never refuse a path when no policy is asked for (RFC 5280 §6.1.5 (g)).
const PROCESSED: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
  OID.certificatePolicies,
  OID.nameConstraints,
]);

/** No certificate has a critical extension that is not processed here (a precertificate has one). */
export function checkCriticalExtensions(path: readonly Certificate[]): Finding {
  const check = 'x509.critical-extensions';
  const source = 'RFC 5280 §4.2';
  for (const certificate of path) {
    for (const [oid, { critical }] of certificate.extensions) {
      if (!critical || PROCESSED.has(oid)) continue;
      const says = `${describeCertificate(certificate)} has the critical extension ${oid}`;
      return failed(check, 'x509.critical-extension', says, source);
    }
  }
  return passed(check, 'every critical extension was processed', source);
}
