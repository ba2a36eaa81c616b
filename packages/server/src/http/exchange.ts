import type { Readable } from 'node:stream';

/** A client certificate that led to the listener's client authority. */
export interface ClientCertificate {
  /** Its subject for people, RFC 4514 order and escapes: `CN=ci,O=acme`. */
  readonly subject: string;
  /** SHA-256 of the certificate in DER, as 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** A request as a door sees it: the path is split and checked, the body is not yet read. */
export interface HttpRequest {
  /** Names the request in logs and records; the answer gives it back as `x-request-id`. */
  readonly id: string;
  readonly method: string;
  /**
   * The path below the door, decoded once and split at `/`; a last empty segment stands for a
   * trailing slash. No segment is `.` or `..` or holds a slash, a backslash or a control.
   */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** A header's value by its lower-case name; several of one name are joined by `, `. */
  header(name: string): string | undefined;
  /** The length that the sender announced, or null (a chunked body, or none). */
  readonly contentLength: number | null;
  /** Whether a body comes at all. */
  readonly hasBody: boolean;
  /** The body, to be read once. Throws `http.body-cut` when the connection ends before it does. */
  body(): AsyncIterable<Uint8Array>;
  /** The other end of the connection; an IPv4 address is written as one on every listener. */
  readonly remoteAddress: string;
  /** Whether the connection is TLS. */
  readonly secure: boolean;
  /** The Host header: a host in lower case, and the port if one was given. It was checked. */
  readonly host: string;
  /** The address that the connection came in on, as in `HttpServer.addresses`. */
  readonly listener: string;
  /** Null when none was asked for, none was given, or the one given was not verified or readable. */
  readonly clientCertificate: ClientCertificate | null;
}

/** Headers of an answer, by lower-case names. */
export type ReplyHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** What a door answers. A HEAD request is answered as its GET; the server leaves the body out. */
export interface HttpReply {
  readonly status: number;
  readonly headers?: ReplyHeaders;
  /** A stream needs a `content-length` among the headers. */
  readonly body?: Uint8Array | string | Readable;
}

/**
 * One protocol behind a path prefix. It gets every request at or below the prefix, answers unknown
 * paths in its own form, and gives faults their form. Where the prefixes of two doors both hold, the
 * longer one decides.
 */
export interface Door {
  /**
   * `/v2`, `/api/bulla/v1`: whole segments, without a slash at the end. The prefix `/` claims that
   * one path and nothing below it: no door is a fallback for the paths of others (semantics 20).
   */
  readonly prefix: `/${string}`;
  /** What metrics and traces call it; default its prefix. Doors may share a name. */
  readonly name?: string;
  /**
   * Headers of every answer of this door that does not set them itself, refusals included: the way
   * to a content security policy and the like. `x-content-type-options: nosniff` is the server's.
   */
  readonly headers?: ReplyHeaders;
  handle(request: HttpRequest): Promise<HttpReply>;
  /** The answer to a fault that `handle` threw, or that the server met before `handle`. */
  refuse(fault: Error): HttpReply;
}
