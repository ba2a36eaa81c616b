/**
 * Ed25519ph (RFC 8032 §5.1, pre-hash with SHA-512 and an empty context), which Node does not
 * offer. Loaded only when a key or a signature needs it: the curve arithmetic costs start-up time.
 */
export async function verifyEd25519ph(
  rawPublicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const { ed25519ph } = await import('@noble/curves/ed25519.js');
  try {
    // RFC 8032 §5.1.7 with strict encodings: no small-order keys pass a cofactored loophole.
    return ed25519ph.verify(signature, message, rawPublicKey, { zip215: false });
  } catch {
    return false;
  }
}

/** The Ed25519ph signature over `message` with a 32-byte seed. */
export async function signEd25519ph(seed: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const { ed25519ph } = await import('@noble/curves/ed25519.js');
  return ed25519ph.sign(message, seed);
}
