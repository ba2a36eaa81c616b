import { utf8 } from '../bytes/byte-string.ts';
import { parseJson } from '../bytes/json.ts';
import { cursor } from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { type LogEntry, parseLogEntry } from '../logentries/entry.ts';
import { type HashedRekordRequest, hashedRekordRequest } from '../logentries/hashedrekord.ts';
import {
  callService,
  parseServiceUrl,
  reasonOf,
  type ServiceAnswer,
  type ServiceCallOptions,
} from './service-request.ts';

/** Which log is to hold which signature. */
export interface LogSubmission extends HashedRekordRequest, ServiceCallOptions {
  /** The log's base URL; the path of its interface is added. */
  readonly url: string;
}

const MAX_ANSWER_BYTES = 1 << 20;

/**
 * Submits a signature to a Rekor v2 log (`POST {url}/api/v2/log/entries`) and resolves, once the
 * log has published a checkpoint, to the entry with its proof. Only the answer's shape is checked
 * here: the caller holds it against what was signed (`verifyLogEntry`). Throws
 * `tlog.entry-unsupported`, `service.duplicate` for an entry that the log has already,
 * `service.refused`, `service.answer-malformed`, and the faults of `callService`.
 */
export async function submitLogEntry(submission: LogSubmission): Promise<LogEntry> {
  const { timeoutMs, signal } = submission;
  const base = parseServiceUrl(submission.url);
  const answer = await callService({
    url: `${base.origin}${base.pathname.replace(/\/+$/, '')}/api/v2/log/entries`,
    contentType: 'application/json',
    accept: 'application/json',
    body: utf8(JSON.stringify(hashedRekordRequest(submission))),
    maxBytes: MAX_ANSWER_BYTES,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  });
  return readEntry(answer, base.origin);
}

function readEntry(answer: ServiceAnswer, origin: string): LogEntry {
  if (answer.status === 409) {
    const index = answer.headers['x-log-index'];
    const where = typeof index === 'string' ? ` at index ${quote(index)}` : '';
    throw new TrustFault('service.duplicate', `${origin} holds this entry already${where}`);
  }
  if (answer.status !== 200 && answer.status !== 201) {
    const code = answer.status >= 500 ? 'service.unreachable' : 'service.refused';
    throw new TrustFault(code, `${origin} answered ${answer.status}: ${reasonOf(answer)}`);
  }
  try {
    const where = `the answer of ${origin}`;
    const value = parseJson(answer.body, where);
    const at = cursor(value, where, 'service.answer-malformed');
    const entry = parseLogEntry(at, { ignoreUnknown: true });
    // A log without a proof in its answer speaks another version of the interface.
    if (entry.inclusionProof !== null) return entry;
    throw new TrustFault('service.answer-malformed', `${where} has no inclusion proof`);
  } catch (cause) {
    if (cause instanceof TrustFault && cause.code === 'service.answer-malformed') throw cause;
    const says = `expected a log entry from ${origin}, found ${reasonOf(answer)}`;
    throw new TrustFault('service.answer-malformed', says, undefined, { cause });
  }
}
