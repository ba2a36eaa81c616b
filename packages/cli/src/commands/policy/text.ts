import { quote, TrustFault } from '@bulla/trust/fault/fault';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The text of a policy file, without a byte-order mark. Throws `policy.malformed`. */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TrustFault('policy.malformed', `${quote(file)} is not UTF-8`, undefined, { cause });
  }
}
