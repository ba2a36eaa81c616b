import type { Readable } from 'node:stream';

/** A request as a door sees it: the path is split and checked, the body is not yet read. */
export interface HttpRequest {
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
}

/** What a door answers. A HEAD request is answered as its GET; the server leaves the body out. */
export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>>;
  /** A stream needs a `content-length` among the headers. */
  readonly body?: Uint8Array | string | Readable;
}

/**
 * One protocol behind a path prefix. It gets every request at or below the prefix, answers unknown
 * paths in its own form, and gives faults their form.
 */
export interface Door {
  /** `/v2`: the first segment, with its slash. */
  readonly prefix: `/${string}`;
  handle(request: HttpRequest): Promise<HttpReply>;
  /** The answer to a fault that `handle` threw, or that the server met before `handle`. */
  refuse(fault: Error): HttpReply;
}
