import { createPrivateKey, type KeyObject } from 'node:crypto';
import { decodePem, encodePem, type PemBlock } from '../../bytes/pem.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { COSIGN_KEY_LABELS, parseCosignKey } from './cosign-key.ts';
import { checkDerivation } from './derivation.ts';

/**
 * Asks for a passphrase; called at most once, and only for a key that is encrypted. It resolves to
 * the passphrase itself and may reject when there is nobody to ask.
 */
export type AskPassphrase = (prompt: string) => Promise<string>;

/** A private key as it was read, with what its reader should know about how it is kept. */
export interface PrivateKey {
  readonly object: KeyObject;
  readonly warnings: readonly string[];
}

const PEM_LABELS = [
  'PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'RSA PRIVATE KEY',
  'EC PRIVATE KEY',
] as const;

/** RFC 1421 ciphers that OpenSSL still opens without its legacy provider. */
const HEADER_CIPHER = /^(AES-(128|192|256)-CBC|DES-EDE3-CBC),/;

/**
 * The private key of a PEM text: cosign's encrypted format, PKCS#8 plain or under PBES2, PKCS#1 or
 * SEC1, these two also under the encryption of RFC 1421. The first private key counts; parameters
 * and certificates beside it are passed over. Throws `crypto.key-malformed`,
 * `key.encryption-unsupported`, `key.derivation-refused` (before any work),
 * `key.passphrase-missing` and `key.passphrase-wrong`.
 */
export async function readPrivateKey(
  text: string,
  where: string,
  ask: AskPassphrase | undefined,
): Promise<PrivateKey> {
  const block = privateBlock(text, where);
  if (COSIGN_KEY_LABELS.some((label) => label === block.label)) {
    return { object: await openCosignBlock(block, where, ask), warnings: [] };
  }
  if (block.label === 'ENCRYPTED PRIVATE KEY') {
    checkDerivation(block.bytes, where);
    return { object: await decrypted(block, where, ask), warnings: [] };
  }
  if (block.headers['Proc-Type'] !== undefined) {
    checkHeaders(block, where);
    const weak = `${where} is encrypted under one round of MD5: write it anew with \`openssl pkcs8 -topk8\``;
    return { object: await decrypted(block, where, ask), warnings: [weak] };
  }
  const object = loadPrivateKey({ key: blockText(block), format: 'pem' }, where);
  return { object, warnings: [] };
}

async function openCosignBlock(
  block: PemBlock,
  where: string,
  ask: AskPassphrase | undefined,
): Promise<KeyObject> {
  const sealed = parseCosignKey(block.bytes, where);
  const der = Buffer.from(await sealed.open(await passphraseFor(where, ask)));
  try {
    return loadPrivateKey({ key: der, format: 'der', type: 'pkcs8' }, where);
  } finally {
    der.fill(0);
  }
}

function checkHeaders(block: PemBlock, where: string): void {
  const { 'Proc-Type': kind, 'DEK-Info': cipher = '' } = block.headers;
  if (kind === '4,ENCRYPTED' && HEADER_CIPHER.test(cipher)) return;
  const found = quote(cipher.split(',')[0]);
  throw new TrustFault(
    'key.encryption-unsupported',
    `expected AES-CBC or DES-EDE3-CBC in the header of ${where}, found ${found}`,
  );
}

function privateBlock(text: string, where: string): PemBlock {
  const known: readonly string[] = [...PEM_LABELS, ...COSIGN_KEY_LABELS];
  const blocks = decodePem(text, where);
  const block = blocks.find(({ label }) => known.includes(label));
  if (block !== undefined) return block;
  const found = blocks[0] === undefined ? 'no PEM block' : quote(blocks[0].label);
  throw new TrustFault(
    'crypto.key-malformed',
    `expected a private key in PEM at ${where}, found ${found}`,
  );
}

/** The block as PEM again, alone: OpenSSL would take another block of the file as it pleases. */
function blockText(block: PemBlock): string {
  const [first = '', ...rest] = encodePem(block.label, block.bytes).split('\n');
  const headers = Object.entries(block.headers).map(([name, value]) => `${name}: ${value}`);
  return [first, ...headers, ...(headers.length === 0 ? [] : ['']), ...rest].join('\n');
}

async function decrypted(
  block: PemBlock,
  where: string,
  ask: AskPassphrase | undefined,
): Promise<KeyObject> {
  const passphrase = await passphraseFor(where, ask);
  try {
    return createPrivateKey({ key: blockText(block), format: 'pem', passphrase });
  } catch {
    // A wrong passphrase often passes CBC's padding and yields garbage instead of a key: every
    // failure is told alike, without its cause.
    throw new TrustFault('key.passphrase-wrong', `the passphrase does not open ${where}`);
  }
}

async function passphraseFor(where: string, ask: AskPassphrase | undefined): Promise<string> {
  if (ask === undefined) {
    throw new TrustFault('key.passphrase-missing', `${where} is encrypted`);
  }
  return await ask(`Passphrase for ${where}: `);
}

function loadPrivateKey(input: Parameters<typeof createPrivateKey>[0], where: string): KeyObject {
  try {
    return createPrivateKey(input);
  } catch {
    // OpenSSL's text is kept out: it says nothing to people and could quote the key's bytes.
    throw new TrustFault('crypto.key-malformed', `the private key at ${where} cannot be read`);
  }
}
