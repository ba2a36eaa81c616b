/** Faults of envelopes and of what they say: statements, payloads, predicates. */
export const CLAIMS_CODES = {
  'dsse.malformed': {
    status: 400,
    exit: 1,
    means: 'A DSSE envelope is not what the DSSE 1.0 protocol describes.',
    remedy: 'Have the attestation made again; the envelope was altered or cut.',
  },
  'statement.malformed': {
    status: 400,
    exit: 1,
    means: 'The payload is not an in-toto statement of version 0.1 or 1.',
    remedy: 'Have the attestation made again by a tool that writes in-toto statements.',
  },
  'statement.subject-mismatch': {
    status: 403,
    exit: 1,
    means: 'No subject of the statement has the digest of this artifact.',
    remedy: 'Verify the artifact that the statement is about, or attest this one.',
  },
  'statement.type-mismatch': {
    status: 403,
    exit: 1,
    means: 'The statement’s predicate type is not the one that was asked for.',
    remedy: 'Ask for the type that was attested (`bulla tree` lists them), or attest this type.',
  },
  'statement.missing': {
    status: 403,
    exit: 1,
    means: 'The registry answered and holds no attestation of this type for this artifact.',
    remedy: 'Attest the artifact (`bulla attest`), or name the digest that was attested.',
  },
  'statement.where-false': {
    status: 403,
    exit: 1,
    means: 'The deciding statement does not satisfy the expression of --where.',
    remedy: 'Make the artifact satisfy the expression and attest it again.',
  },
  'predicate.malformed': {
    status: 400,
    exit: 2,
    means: 'A predicate file is not what its type asks for.',
    remedy: 'Give the file that the type’s own tool writes, or attest it with --type custom.',
  },
  'payload.malformed': {
    status: 400,
    exit: 1,
    means: 'A simple-signing payload is not what the format describes.',
    remedy: 'Sign the image again; the payload was altered or was made by an unknown tool.',
  },
  'payload.type': {
    status: 403,
    exit: 1,
    means: 'A simple-signing payload names another type than cosign’s in cosign’s format.',
    remedy: 'Sign the image again with `bulla sign` or cosign.',
  },
} as const;
