import { createHmac } from 'node:crypto';

/**
 * The headers of Standard Webhooks (standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over
 * `id.timestamp.body`, one signature per key, so that a receiver that knows either of two keys is
 * content while one takes the other's place. Without a key there is no signature, and the id and the
 * time are sent all the same.
 */
export function webhookHeaders(
  keys: readonly Uint8Array[],
  message: { readonly id: string; readonly at: Date; readonly body: Uint8Array },
): Readonly<Record<string, string>> {
  const { id, at, body } = message;
  const seconds = String(Math.floor(at.getTime() / 1000));
  const named = { 'webhook-id': id, 'webhook-timestamp': seconds };
  if (keys.length === 0) return named;
  const signatures = keys.map((key) => {
    const mac = createHmac('sha256', key).update(`${id}.${seconds}.`).update(body);
    return `v1,${mac.digest('base64')}`;
  });
  return { ...named, 'webhook-signature': signatures.join(' ') };
}
