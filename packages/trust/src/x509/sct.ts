import { concat, equalBytes } from '../bytes/byte-string.ts';
import { derChildren, derOctetString, derSequence, readDer } from '../bytes/der.ts';
import { writeDer, writeSequence } from '../bytes/der-writer.ts';
import { digestOf } from '../bytes/hash.ts';
import { encodeHex } from '../bytes/hex.ts';
import type { SignatureAlgorithm } from '../crypto/algorithm.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { covers, describePeriod, type ValidityPeriod } from '../crypto/validity-period.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import { printable } from '../fault/fault.ts';
import { anyOf } from '../finding/combine.ts';
import { type Finding, failed, failedBy, passed } from '../finding/finding.ts';
import type { Certificate } from './certificate.ts';
import { OID, readOid } from './object-identifiers.ts';
import { parseSctList, type SignedCertificateTimestamp } from './sct-list.ts';

/** What is needed of a CT log; the log keys of a trust root have it. */
export interface CtLog {
  readonly baseUrl: string;
  readonly key: PublicKey;
  readonly algorithm: SignatureAlgorithm;
  /** SHA-256 of the log's SubjectPublicKeyInfo (RFC 6962 §3.2). */
  readonly logId: Uint8Array;
  readonly validFor: ValidityPeriod;
}

/** What `verifyScts` is asked. */
export interface SctOptions {
  readonly leaf: Certificate;
  /** The certificate that issued the leaf, as the chain was found: its key is part of what is signed. */
  readonly issuer: Certificate;
  readonly ctLogs: readonly CtLog[];
}

const CHECK = 'x509.sct';
const SOURCE = 'RFC 6962 §3.2';
const MAX_SCTS = 16;

/**
 * Whether a known CT log has promised to log this certificate: at least one embedded SCT verifies.
 * Each is a child finding. Fails with `x509.sct-missing`, `x509.sct-malformed`, `x509.limit` (over
 * 16), `x509.sct-log-unknown`, `x509.sct-log-period` or `x509.sct-invalid`; never throws for what
 * the certificate holds.
 */
export async function verifyScts({ leaf, issuer, ctLogs }: SctOptions): Promise<Finding> {
  const extension = leaf.extensions.get(OID.sctList);
  if (extension === undefined) {
    const says = 'the certificate carries no signed certificate timestamp';
    return failed(CHECK, 'x509.sct-missing', says, SOURCE);
  }
  let scts: readonly SignedCertificateTimestamp[];
  try {
    scts = parseSctList(derOctetString(readDer(extension.value, 'SCT list'), 'SCT list'));
  } catch (error) {
    return failedBy(CHECK, error, 'RFC 6962 §3.3');
  }
  if (scts.length > MAX_SCTS) {
    const says = `expected at most ${MAX_SCTS} SCTs, found ${scts.length}`;
    return failed(CHECK, 'x509.limit', says, SOURCE);
  }
  const entry = precertEntry(leaf, issuer);
  const findings = await Promise.all(scts.map((sct) => checkSct(sct, entry, ctLogs)));
  const good = findings.filter((finding) => finding.outcome === 'pass').length;
  return anyOf(CHECK, findings, `${good} of ${scts.length} SCTs verify`, { source: SOURCE });
}

async function checkSct(
  sct: SignedCertificateTimestamp,
  entry: Uint8Array,
  ctLogs: readonly CtLog[],
): Promise<Finding> {
  const check = 'x509.sct-signature';
  const id = encodeHex(sct.logId);
  const logs = ctLogs.filter((log) => equalBytes(log.logId, sct.logId));
  if (logs.length === 0) {
    const says = `the SCT is of log ${id}, which is none of the ${ctLogs.length} that the trust root names`;
    return failed(check, 'x509.sct-log-unknown', says, SOURCE);
  }
  const instant = sct.time.toISOString();
  const current = logs.filter(({ validFor }) => covers(validFor, sct.time));
  if (current.length === 0) {
    const periods = logs.map(({ validFor }) => describePeriod(validFor)).join(' and ');
    const says = `log ${id} is trusted ${periods}, the SCT is of ${instant}`;
    return failed(check, 'x509.sct-log-period', says, 'RFC 6962 §3.2, sigstore_trustroot.proto');
  }
  const signed = signedStructure(sct, entry);
  for (const log of current) {
    if (log.algorithm.name !== sct.algorithm) continue;
    if (!(await verifySignature(log.key, log.algorithm, signed, sct.signature))) continue;
    const says = `${printable(log.baseUrl)} saw the certificate at ${instant}`;
    return passed(check, says, SOURCE);
  }
  const says = `the SCT of ${instant} was not signed by log ${id} over this certificate`;
  return failed(check, 'x509.sct-invalid', says, SOURCE);
}

/** The structure that the log signed: certificate_timestamp over a precert_entry. */
function signedStructure(sct: SignedCertificateTimestamp, entry: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12);
  // Version v1 and signature type certificate_timestamp are 0, entry type precert_entry is 1.
  head.writeBigUInt64BE(sct.timestamp, 2);
  head.writeUInt16BE(1, 10);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(sct.extensions.length);
  return concat(head, entry, length, sct.extensions);
}

/** PreCert: SHA-256 of the issuer's key as its certificate writes it, and the TBS as it was submitted. */
function precertEntry(leaf: Certificate, issuer: Certificate): Uint8Array {
  const tbs = precertTbs(leaf.tbs);
  const length = Buffer.alloc(3);
  length.writeUIntBE(tbs.length, 0, 3);
  return concat(digestOf('sha256', issuer.publicKeyInfo), length, tbs);
}

/**
 * The TBSCertificate without its SCT list (RFC 6962 §3.2). All that stays is copied as it was
 * received; only the three lengths around the removed extension are written anew.
 */
export function precertTbs(tbs: Uint8Array): Uint8Array {
  const where = 'certificate';
  const fields = derSequence(readDer(tbs, where), where).map((field) => {
    if (field.tag !== 0xa3) return field.raw;
    const [list] = derChildren(field, where);
    const kept = derSequence(list, where).filter(
      (extension) => readOid(derSequence(extension, where)[0], where) !== OID.sctList,
    );
    // Extensions are a sequence of at least one: with none left, the field goes too.
    if (kept.length === 0) return new Uint8Array();
    return writeDer(0xa3, writeSequence(...kept.map(({ raw }) => raw)));
  });
  return writeSequence(...fields);
}
