/** Faults of the stores behind `Objects` and `Registers`. */
export const STORAGE_CODES = {
  'storage.name-invalid': {
    status: 400,
    exit: 4,
    means: 'A name in the store is empty, too long or has an empty segment.',
    remedy: 'Report it with the request that led to it; nothing was written.',
  },
  'storage.staging-taken': {
    status: 409,
    exit: 1,
    means: 'A staged write of this id was begun before.',
    remedy: 'Begin the write under a new id.',
  },
  'storage.staging-unknown': {
    status: 404,
    exit: 1,
    means: 'No staged write of this id is open: it was committed, aborted, or has timed out.',
    remedy: 'Begin the write again.',
  },
  'storage.staging-busy': {
    status: 409,
    exit: 3,
    means: 'Another request is writing to the same staged write.',
    remedy: 'Wait until the other request has ended, ask for the offset, and go on from there.',
  },
  'storage.offset-conflict': {
    status: 416,
    exit: 1,
    means: 'Bytes were sent for another place than the end of what is staged.',
    remedy: 'Ask for the offset and go on from there.',
  },
  'storage.digest-mismatch': {
    status: 400,
    exit: 1,
    means: 'Staged bytes do not have the digest under which they were to be kept.',
    remedy: 'Send the content again; it was altered or cut on the way.',
  },
  'storage.too-large': {
    status: 413,
    exit: 1,
    means: 'Content is larger than its limit.',
    remedy: 'Send content within the limit that the message names.',
  },
  'storage.full': {
    status: 507,
    exit: 3,
    means: 'The store has no room left.',
    remedy: 'Free or add room for the store, then send the content again.',
  },
  'storage.failed': {
    status: 500,
    exit: 3,
    means: 'The store could not read or write.',
    remedy:
      'Look at the folder or service that the message names, then try again; whether the write is kept is known only by reading it.',
  },
  'storage.corrupt': {
    status: 500,
    exit: 3,
    means: 'A file of the store is not what Bulla writes there.',
    remedy: 'Restore the data folder from its backup; a file was altered from outside.',
  },
  'storage.locked': {
    status: 409,
    exit: 2,
    means: 'Another process has this data folder open.',
    remedy: 'Stop the other process, or give each process a data folder of its own.',
  },
  'storage.folder-unsuitable': {
    status: 400,
    exit: 2,
    means:
      'A data folder cannot be made or used, or its file system does not tell upper from lower case.',
    remedy:
      'Give a folder that this user may write, on a file system that tells upper from lower case.',
  },
  'storage.closed': {
    status: 503,
    exit: 3,
    means: 'The store was closed while it was being used.',
    remedy: 'Send the request again to a server that is running.',
  },
} as const;
