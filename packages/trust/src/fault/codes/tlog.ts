/** Faults of transparency logs: notes, checkpoints, proofs and entries. */
export const TLOG_CODES = {
  'tlog.note-malformed': {
    status: 400,
    exit: 1,
    means: 'A signed note or checkpoint does not follow the C2SP formats.',
    remedy: 'Fetch the bundle or the checkpoint again; it was cut or altered.',
  },
  'tlog.checkpoint-origin': {
    status: 403,
    exit: 1,
    means: 'A checkpoint names another log as its origin than the one that the entry is of.',
    remedy: 'Fetch the bundle again, or get the trust root that names this log.',
  },
  'tlog.checkpoint-signature': {
    status: 403,
    exit: 1,
    means: 'A checkpoint is not signed by the log’s key.',
    remedy: 'Fetch the bundle again; if it persists, the log or the bundle was altered.',
  },
  'tlog.log-unknown': {
    status: 403,
    exit: 1,
    means: 'An entry is of a log that the trust root does not name.',
    remedy: 'Give the trust root of the signer’s log, or have it signed with a log you trust.',
  },
  'tlog.log-expired': {
    status: 403,
    exit: 1,
    means: 'A log’s key was not valid at the time of the entry.',
    remedy: 'Sign again with a log whose key is valid, or get the current trust root.',
  },
  'tlog.entry-malformed': {
    status: 400,
    exit: 1,
    means: 'The body of a log entry is not what its kind and version describe.',
    remedy: 'Fetch the bundle again; if it persists, sign again.',
  },
  'tlog.entry-unsupported': {
    status: 400,
    exit: 1,
    means:
      'A log entry is of a kind or version that Bulla does not know or that binds no signature.',
    remedy: 'Sign again with a tool that logs hashedrekord or dsse entries.',
  },
  'tlog.entry-mismatch': {
    status: 403,
    exit: 1,
    means: 'A log entry is about another artifact, signature or signer than the evidence it is in.',
    remedy:
      'Fetch the bundle again; if it persists, do not trust it: its log entry was substituted.',
  },
  'tlog.integrated-time-unsigned': {
    status: 403,
    exit: 1,
    means: 'An entry of a Rekor v2 log carries a time or a promise, which such logs never sign.',
    remedy: 'Fetch the bundle again; the time was added by someone else than the log.',
  },
  'tlog.promise-invalid': {
    status: 403,
    exit: 1,
    means: 'The signed entry timestamp of an entry was not made by the log’s key.',
    remedy: 'Fetch the bundle again; if it persists, the log or the bundle was altered.',
  },
  'tlog.proof-mismatch': {
    status: 403,
    exit: 1,
    means: 'An inclusion proof’s index, size or root differs from its entry’s or its checkpoint’s.',
    remedy: 'Fetch the bundle again; if it persists, the log or the bundle was altered.',
  },
  'tlog.inclusion-invalid': {
    status: 403,
    exit: 1,
    means: 'An inclusion proof does not lead from the entry to the root of its checkpoint.',
    remedy: 'Fetch the bundle again; if it persists, the log or the bundle was altered.',
  },
  'tlog.unproven': {
    status: 403,
    exit: 1,
    means: 'A log entry has neither the inclusion proof nor the promise that its format asks for.',
    remedy: 'Fetch the bundle again, or sign again with a tool that stores the inclusion proof.',
  },
  'tlog.tile-malformed': {
    status: 400,
    exit: 1,
    means:
      'A tile or an entry bundle of a log has another length or structure than C2SP describes.',
    remedy: 'Fetch the tile again; if it persists, the log is damaged.',
  },
} as const;
