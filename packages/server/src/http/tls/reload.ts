import type { SecureContextOptions } from 'node:tls';
import { asFault, type TrustFault } from '@bulla/trust/fault/fault';
import { checkTlsFiles, readTlsFiles, type TlsFiles } from './credentials.ts';

/** What a look at a listener's files led to; nothing is reported of files that did not change. */
export interface TlsReport {
  readonly listener: string;
  /** `kept`: what the files hold now cannot be used, and the old certificate goes on serving. */
  readonly outcome: 'replaced' | 'kept';
  /** When the certificate that is served now ends. */
  readonly notAfter: Date;
  /** `http.tls-invalid`, when kept. */
  readonly fault: TrustFault | null;
}

/** Keeps one listener's certificate what its files say. */
export interface TlsKeeper {
  /**
   * Reads the files again. Null when they hold what is served, or with `quiet` what was already
   * reported as unusable. Connections that are open stay as they are.
   */
  reload(quiet?: boolean): Promise<TlsReport | null>;
  /** When the certificate that is served ends. */
  notAfter(): Date;
}

/** What a keeper keeps. */
export interface KeptListener {
  readonly url: string;
  readonly files: TlsFiles;
  readonly clock: () => Date;
  /** What is served when the keeper begins. */
  readonly served: { readonly fingerprint: string; readonly notAfter: Date };
  /** Serves new connections by this context from now on. */
  readonly replace: (context: SecureContextOptions) => void;
}

/** A keeper; its reloads run one after the other. */
export function keepTls({ url, files, clock, served: first, replace }: KeptListener): TlsKeeper {
  let served = first;
  let reported: string | null = null;
  let last: Promise<unknown> = Promise.resolve();

  const look = async (quiet: boolean): Promise<TlsReport | null> => {
    let seen: string | null = null;
    try {
      const read = await readTlsFiles(files);
      seen = read.fingerprint;
      if (seen === served.fingerprint) {
        reported = null;
        return null;
      }
      const { context, fingerprint, notAfter } = checkTlsFiles(read, files, clock());
      replace(context);
      served = { fingerprint, notAfter };
      reported = null;
      return { listener: url, outcome: 'replaced', notAfter, fault: null };
    } catch (error) {
      const fault = asFault(error);
      const problem = `${seen} ${fault.message}`;
      const known = problem === reported;
      reported = problem;
      if (quiet && known) return null;
      return { listener: url, outcome: 'kept', notAfter: served.notAfter, fault };
    }
  };
  return {
    reload(quiet = false) {
      const next = last.then(() => look(quiet));
      last = next;
      return next;
    },
    notAfter: () => served.notAfter,
  };
}
