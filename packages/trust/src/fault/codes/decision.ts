/** Findings of decisions by policy. */
export const DECISION_CODES = {
  'policy.none': {
    status: 403,
    exit: 1,
    means: 'No policy is loaded, and an image that no policy covers is refused.',
    remedy: 'Load a policy that covers the image.',
  },
  'policy.no-match': {
    status: 403,
    exit: 1,
    means: 'No policy covers the image at this place, and what none covers is refused.',
    remedy: 'Have the owner of the policies say what this image must carry.',
  },
  'policy.authority-unsupported': {
    status: 403,
    exit: 1,
    means: 'The policy names an authority of a kind that this release cannot prove.',
    remedy: 'Name the signer by a key or by an identity with its issuer.',
  },
  'policy.tag-refused': {
    status: 403,
    exit: 1,
    means: 'The image was asked for by a tag, and the policy wants digests.',
    remedy: 'Ask for the image by its digest, as NAME@sha256:….',
  },
  'tag.rollback': {
    status: 403,
    exit: 1,
    means: 'A tag leads to an older digest again, after it led to a newer one.',
    remedy: 'Find out who moved the tag; to go back on purpose, sign and push the content anew.',
  },
  'tree.not-listed': {
    status: 403,
    exit: 1,
    means: 'An index that was recorded for an image does not list it.',
    remedy: 'Push the index and all its images again.',
  },
  'statement.too-old': {
    status: 403,
    exit: 1,
    means: 'A statement is older than the policy allows.',
    remedy: 'Have the statement made and signed anew.',
  },
  'statement.no-time': {
    status: 403,
    exit: 1,
    means: 'Nothing trusted says when a statement was made, and the policy asks for its age.',
    remedy: 'Have the statement timestamped when it is signed.',
  },
  'statement.future': {
    status: 403,
    exit: 1,
    means: 'A statement says that it was made in the future.',
    remedy: 'Correct the clock of whoever makes the statement, and have it made anew.',
  },
  'statement.provenance-mismatch': {
    status: 403,
    exit: 1,
    means: 'A provenance names another builder, source repository or branch than the policy.',
    remedy: 'Build the image where and from what the policy says.',
  },
  'statement.vulnerabilities': {
    status: 403,
    exit: 1,
    means: 'A scan found more vulnerabilities of a severity than the policy allows.',
    remedy: 'Mend the image and scan it anew, or answer the findings that do not apply by VEX.',
  },
  'statement.sbom-too-small': {
    status: 403,
    exit: 1,
    means: 'A bill of materials lists fewer packages than the policy asks for.',
    remedy: 'Have the bill of materials made from the image as it is built.',
  },
  'dossier.malformed': {
    status: 400,
    exit: 2,
    means: 'Stored evidence of a decision cannot be read, or is not what its digests say.',
    remedy: 'Take the evidence anew from a decision.',
  },
  'dossier.incomplete': {
    status: 503,
    exit: 3,
    means: 'Stored evidence was gathered for another question and lacks what a policy asks for.',
    remedy: 'Decide about the image at its registry.',
  },
} as const;
