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
const BLOCK =
  /-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,63})-----[ \t]*\r?\n([^-]*?)-----END ([A-Z0-9][A-Z0-9 ]{0,63})-----/g;

/**
 * Every block of a PEM text, in order (RFC 7468); text between blocks is ignored. An empty list
 * when there is none. Throws `bytes.pem` for a damaged block or a text over 1 MiB.
 */
export function decodePem(text: string, where = 'file'): readonly PemBlock[] {
  if (text.length > PEM_LIMIT_BYTES) {
    throw new TrustFault('bytes.pem', `expected PEM of at most 1 MiB at ${where}`);
  }
  const blocks: PemBlock[] = [];
  for (const match of text.matchAll(BLOCK)) {
    const [, label = '', body = '', end = ''] = match;
    if (label !== end) {
      throw new TrustFault(
        'bytes.pem',
        `PEM at ${where} begins with ${quote(label)} and ends with ${quote(end)}`,
      );
    }
    blocks.push({ label, ...decodeBody(body, where) });
  }
  const begun = text.split('-----BEGIN ').length - 1;
  if (begun !== blocks.length) {
    throw new TrustFault('bytes.pem', `PEM at ${where} has a block that is cut or damaged`);
  }
  return blocks;
}

function decodeBody(body: string, where: string): Omit<PemBlock, 'label'> {
  const headers: Record<string, string> = Object.create(null);
  const base64: string[] = [];
  for (const line of body.split(/\r?\n/)) {
    const header = /^([A-Za-z][A-Za-z0-9-]*): (.*)$/.exec(line);
    if (header?.[1] !== undefined && header[2] !== undefined) headers[header[1]] = header[2];
    else base64.push(line.trim());
  }
  try {
    return { headers, bytes: decodeBase64(base64.join(''), where) };
  } catch (cause) {
    throw new TrustFault('bytes.pem', `PEM at ${where} has a damaged body`, undefined, { cause });
  }
}

/** PEM text of `bytes` under `label`, in lines of 64 characters (RFC 7468 §2). */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
