/** A call of the product API, below `/api/bulla/v1`. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** How long the answer may take. Default 30 s. */
  readonly timeoutMs?: number;
}

/**
 * The product API, at a running server or offline on its store: the same calls have the same answers.
 * What is refused throws the fault that the server names, `server.*` when nothing did, `storage.*`
 * offline.
 */
export interface Api extends AsyncDisposable {
  readonly kind: 'server' | 'offline';
  /** The server's address, or null offline. */
  readonly origin: string | null;
  /** The answer's JSON; null for an answer without content. */
  json(call: ApiCall): Promise<unknown>;
  /** An answer of any length. A server that falls silent ends it. */
  chunks(call: ApiCall): AsyncIterable<Uint8Array>;
  /** Removes what the record has from before an instant. Throws `usage.invalid` at a server. */
  prune(before: Date): Promise<{ readonly entries: number; readonly through: number }>;
}

/** An answer as text. */
export async function textOf(api: Api, call: ApiCall): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of api.chunks(call)) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
