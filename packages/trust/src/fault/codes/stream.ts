/** Faults of the streams that the record is sent to. */
export const STREAM_CODES = {
  'stream.unknown': {
    status: 404,
    exit: 1,
    means: 'The configuration has no stream of this name.',
    remedy: 'Take the name from the list of streams; streams are declared in bulla.yaml.',
  },
  'stream.dead-letter-unknown': {
    status: 404,
    exit: 1,
    means: 'The stream has no dead letter of this id: it was sent, or dropped.',
    remedy: 'List the dead letters again, and take the id from there.',
  },
  'stream.template-invalid': {
    status: 500,
    exit: 2,
    means: 'The template of an alert cannot be read, is not JSON, or names an unknown variable.',
    remedy: 'Correct the template at the place that the message names.',
  },
  'stream.state-corrupt': {
    status: 500,
    exit: 1,
    means: 'The cell that says how far a stream was sent does not hold what Bulla writes there.',
    remedy: 'Find out who can write to the store, and restore it from its backup.',
  },
} as const;
