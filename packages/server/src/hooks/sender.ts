import { TrustFault } from '@bulla/trust/fault/fault';
import { isSecret } from '../http/secret.ts';

/** What sends push events. */
export type SenderKind = 'distribution' | 'harbor' | 'zot';

/** Who may tell of pushes to one registry; of one kind each has a token of its own. */
export interface Sender {
  readonly kind: SenderKind;
  /** Canonical: the registry that its events are about, whatever they say. */
  readonly registry: string;
  readonly token: string;
}

/**
 * The sender whose token the header has: as it is (Harbor sends what is configured), after `Bearer`
 * (distribution, zot), or as the password of Basic (zot). Every token is compared, each in constant
 * time. Throws `hooks.unauthenticated`.
 */
export function senderOf(
  senders: readonly Sender[],
  kind: string,
  authorization: string | undefined,
): Sender {
  const given = tokensIn(authorization ?? '');
  const found = senders.filter(
    (sender) => given.filter((token) => isSecret(token, sender.token)).length > 0,
  );
  const sender = found.find((one) => one.kind === kind);
  if (sender !== undefined) return sender;
  throw new TrustFault('hooks.unauthenticated', `expected the token of a sender of ${kind}`);
}

const LONGEST = 4096;

function tokensIn(header: string): readonly string[] {
  if (header === '' || header.length > LONGEST) return [];
  const [, scheme = '', rest = ''] = /^(\S+) +(\S+)$/.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return [header, rest];
    case 'basic': {
      const pair = Buffer.from(rest, 'base64').toString('utf8');
      return [header, pair.slice(pair.indexOf(':') + 1)];
    }
    default:
      return [header];
  }
}
