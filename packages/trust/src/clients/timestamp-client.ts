import { digestOf } from '../bytes/hash.ts';
import { TrustFault } from '../fault/fault.ts';
import {
  buildTimestampRequest,
  checkTimestampResponse,
  type TimestampRequest,
} from '../timestamp/request.ts';
import { callService, reasonOf, type ServiceCallOptions } from './service-request.ts';

/** Which authority is to stamp what. */
export interface TimestampCall extends ServiceCallOptions {
  /** The whole URL of the authority (RFC 3161 §3.4). */
  readonly url: string;
  /** The raw signature that is stamped; its SHA-256 is sent. */
  readonly signature: Uint8Array;
  /** A fresh random number, by which an old response is told from a new one. */
  readonly nonce: bigint;
}

const MAX_ANSWER_BYTES = 256 << 10;
const REPLY = 'application/timestamp-reply';

/**
 * Has `signature` stamped (RFC 3161 over HTTP, §3.4) and resolves to the TimeStampResp in DER, as
 * bundles hold it. It is checked against the request (nonce, digest, certificate) and not
 * verified: the caller does that with the trust root. Throws `service.refused`,
 * `service.answer-malformed`, `timestamp.*`, and the faults of `callService`.
 */
export async function requestTimestamp(call: TimestampCall): Promise<Uint8Array> {
  const { url, timeoutMs, signal } = call;
  const request: TimestampRequest = {
    hash: 'sha256',
    digest: digestOf('sha256', call.signature),
    nonce: call.nonce,
    // A verifier may know the authority's root only (sigstore_trustroot.proto timestamp_authorities).
    certReq: true,
  };
  const answer = await callService({
    url,
    contentType: 'application/timestamp-query',
    accept: REPLY,
    body: buildTimestampRequest(request),
    maxBytes: MAX_ANSWER_BYTES,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  });
  const origin = new URL(url).origin;
  // timestamp-authority answers 200, or 201 when it is told to.
  if (answer.status !== 200 && answer.status !== 201) {
    const code = answer.status >= 500 ? 'service.unreachable' : 'service.refused';
    throw new TrustFault(code, `${origin} answered ${answer.status}: ${reasonOf(answer)}`);
  }
  const type = answer.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== REPLY) {
    const says = `expected ${REPLY} from ${origin}, found ${reasonOf(answer)}`;
    throw new TrustFault('service.answer-malformed', says);
  }
  checkTimestampResponse({ response: answer.body, request });
  return answer.body;
}
