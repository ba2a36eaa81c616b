import { quote, TrustFault } from '../fault/fault.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';

/** One block of a PEM file: its label and its decoded content. */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
  /** `Name: value` lines that stand before the body in older encodings (RFC 1421). */
  readonly headers: Readonly<Record<string, string>>;
}

const PEM_LIMIT_BYTES = 1 << 20;
const LABEL = '([A-Z0-9][A-Z0-9 ]{0,63})';
const BEGIN = new RegExp(`^-----BEGIN ${LABEL}-----[ \\t]*$`);
const END = new RegExp(`^-----END ${LABEL}-----[ \\t]*$`);
const HEADER = /^([A-Za-z][A-Za-z0-9-]*): (.*)$/;

/**
 * Every block of a PEM text, in order (RFC 7468); text between blocks is ignored. An empty list
 * when there is none. Throws `bytes.pem` for a damaged block or a text over 1 MiB.
 */
export function decodePem(text: string, where = 'file'): readonly PemBlock[] {
  if (text.length > PEM_LIMIT_BYTES) {
    throw new TrustFault('bytes.pem', `expected PEM of at most 1 MiB at ${where}`);
  }
  const lines = text.split(/\r\n|[\r\n]/);
  const blocks: PemBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const label = BEGIN.exec(lines[at] ?? '')?.[1];
    if (label === undefined) continue;
    const start = at + 1;
    do at++;
    while (at < lines.length && !lines[at]?.startsWith('-----'));
    const end = END.exec(lines[at] ?? '')?.[1];
    if (end !== undefined && end !== label) {
      throw new TrustFault(
        'bytes.pem',
        `PEM at ${where} begins with ${quote(label)} and ends with ${quote(end)}`,
      );
    }
    // Left open, the block is counted below as begun.
    if (end !== undefined) blocks.push({ label, ...decodeBody(lines.slice(start, at), where) });
  }
  const begun = text.split('-----BEGIN ').length - 1;
  if (begun !== blocks.length) {
    throw new TrustFault('bytes.pem', `PEM at ${where} has a block that is cut or damaged`);
  }
  return blocks;
}

function decodeBody(lines: readonly string[], where: string): Omit<PemBlock, 'label'> {
  const headers: Record<string, string> = Object.create(null);
  let count = 0;
  for (; count < lines.length; count++) {
    const [, name, value] = HEADER.exec(lines[count] ?? '') ?? [];
    if (name === undefined || value === undefined) break;
    // RFC 1421 §4.6: two readers of a repeated header could decrypt differently.
    if (name in headers) throw new TrustFault('bytes.pem', `PEM at ${where} repeats a header`);
    headers[name] = value;
  }
  const base64 = lines.slice(count).map((line) => line.trim());
  try {
    return { headers, bytes: decodeBase64(base64.join(''), where) };
  } catch {
    // Without the cause, which quotes the text: the block may be a private key.
    throw new TrustFault('bytes.pem', `PEM at ${where} has a damaged body`);
  }
}

/** PEM text of `bytes` under `label`, in lines of 64 characters (RFC 7468 §2). */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
