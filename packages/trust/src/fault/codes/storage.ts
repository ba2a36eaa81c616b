/** Faults of the stores behind `Objects`, `Registers` and `Tables`. */
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
  'storage.moved': {
    status: 503,
    exit: 3,
    means: 'The file of the database was removed or replaced while the server had it open.',
    remedy:
      'Put the same file back; else stop the server, restore the data folder from its backup, and start it again.',
  },
  'storage.locked': {
    status: 409,
    exit: 2,
    means: 'Another process has this data folder open.',
    remedy:
      'Stop the other process, or give each process a data folder of its own; only servers whose tables are in PostgreSQL share one.',
  },
  'storage.locks-missing': {
    status: 500,
    exit: 2,
    means: 'The volume of a shared folder does not keep locks between the processes that use it.',
    remedy:
      'Put the folder on a volume that carries fcntl locks to every machine: NFS 4 without nolock or local_lock, CephFS, GFS2; or run one server only.',
  },
  'storage.folder-foreign': {
    status: 409,
    exit: 2,
    means: 'The folder of objects and the database do not belong together.',
    remedy:
      'Name the folder that belongs to this database, and see that its volume is mounted; a new database needs a new, empty folder.',
  },
  'storage.folder-unsuitable': {
    status: 400,
    exit: 2,
    means:
      'A data folder cannot be made or used, or its file system does not tell upper from lower case.',
    remedy:
      'Give a folder that this user may write, on a file system that tells upper from lower case.',
  },
  'storage.address-invalid': {
    status: 400,
    exit: 2,
    means: 'The address of a database is not a PostgreSQL URL that Bulla can use.',
    remedy:
      'Give postgresql://USER@HOST:PORT/DATABASE, and the password in the variable that the configuration names.',
  },
  'storage.busy': {
    status: 503,
    exit: 3,
    means: 'Other work on the same rows came in between, or holds what this work needs.',
    remedy: 'Do the work again after a moment; nothing of it was kept.',
  },
  'storage.conflict': {
    status: 409,
    exit: 1,
    means: 'A row with this key is there already.',
    remedy: 'Read the row that is there, or choose another key.',
  },
  'storage.constraint': {
    status: 409,
    exit: 1,
    means: 'A row breaks a rule of its table: a reference leads nowhere, or a value is missing.',
    remedy: 'Read the rows again: what this one refers to was removed; nothing was written.',
  },
  'storage.value-invalid': {
    status: 400,
    exit: 4,
    means: 'A value cannot be stored in a row: text with a NUL character, or no exact number.',
    remedy: 'Send text without NUL characters, and whole numbers below 2^53.',
  },
  'storage.schema-newer': {
    status: 500,
    exit: 2,
    means: 'The database was changed by a newer Bulla than this one.',
    remedy: 'Start the newer program, or restore the backup that was made before it.',
  },
  'storage.lease-held': {
    status: 503,
    exit: 3,
    means: 'Another process holds the lease on this work, and did not let go in time.',
    remedy: 'Wait until the other process has ended its work, then try again.',
  },
  'storage.closed': {
    status: 503,
    exit: 3,
    means: 'The store was closed while it was being used.',
    remedy: 'Send the request again to a server that is running.',
  },
} as const;
