import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a foreign text is the secret, in a time that tells nothing of how much of it is right. */
export function isSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return secret !== '' && timingSafeEqual(digest(given), digest(secret));
}
