import { utf8 } from '../bytes/byte-string.ts';
import { parseJson } from '../bytes/json.ts';
import {
  asObject,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
  refuseUnknown,
} from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';

/** cosign's `critical.type`; containers/image's own is `atomic container signature`. */
export const COSIGN_PAYLOAD_TYPE = 'cosign container image signature';

/** A simple-signing payload (containers-signature.5, cosign SIGNATURE_SPEC.md). */
export interface SimpleSigningPayload {
  readonly type: string;
  readonly dockerReference: string;
  readonly digest: string;
  /** Signed annotations that are strings. */
  readonly annotations: Readonly<Record<string, string>>;
}

function asDigestText(at: Cursor): string {
  const text = asString(at);
  if (!/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text)) {
    throw new TrustFault(at.code, `expected a digest at ${at.path}, found ${quote(text)}`);
  }
  return text;
}

/**
 * The payload in `bytes`. Unknown members of `critical` are refused, those of `optional` are
 * tolerated (containers-signature.5). Throws `payload.malformed` and the faults of `parseJson`.
 */
export function parseSimpleSigning(bytes: Uint8Array, where: string): SimpleSigningPayload {
  const value = parseJson(bytes, where, { maxBytes: 1 << 20 });
  const at = cursor(value, 'payload', 'payload.malformed');
  refuseUnknown(at, ['critical', 'optional']);
  const critical = member(at, 'critical');
  refuseUnknown(critical, ['identity', 'image', 'type']);
  const image = member(critical, 'image');
  refuseUnknown(image, ['docker-manifest-digest']);
  const identity = member(critical, 'identity');
  refuseUnknown(identity, ['docker-reference']);
  const annotations: Record<string, string> = Object.create(null);
  const free = optional(member(at, 'optional'), asObject) ?? {};
  for (const [key, item] of Object.entries(free)) {
    if (typeof item === 'string') annotations[key] = item;
  }
  return {
    type: asString(member(critical, 'type')),
    dockerReference: asString(member(identity, 'docker-reference')),
    digest: asDigestText(member(image, 'docker-manifest-digest')),
    annotations,
  };
}

/** What a new payload says. */
export interface SimpleSigningContent {
  /** `registry/repository`, without tag or digest, as cosign writes it. */
  readonly dockerReference: string;
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The bytes of a cosign payload, member for member as cosign writes them. */
export function buildSimpleSigning(content: SimpleSigningContent): Uint8Array {
  const names = Object.keys(content.annotations).sort();
  const annotations = Object.fromEntries(names.map((name) => [name, content.annotations[name]]));
  return utf8(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': content.dockerReference },
        image: { 'docker-manifest-digest': content.digest },
        type: COSIGN_PAYLOAD_TYPE,
      },
      optional: names.length === 0 ? null : annotations,
    }),
  );
}
