/** Faults of certificates, their chains and their SCTs. */
export const X509_CODES = {
  'x509.malformed': {
    status: 400,
    exit: 1,
    means: 'A certificate or one of its extensions is not what RFC 5280 describes.',
    remedy: 'Have the certificate issued again by a CA that follows RFC 5280.',
  },
  'x509.limit': {
    status: 400,
    exit: 1,
    means: 'A certificate is larger, or comes with more certificates or SCTs, than any honest one.',
    remedy: 'Sign again with a chain that holds only the certificates that lead to its root.',
  },
  'x509.untrusted': {
    status: 403,
    exit: 1,
    means: 'No chain of valid signatures leads from the certificate to a trusted authority.',
    remedy: 'Check that the trust root is the one of the CA that issued the certificate.',
  },
  'x509.expired': {
    status: 403,
    exit: 1,
    means: 'A certificate of the chain had expired at the time that counts.',
    remedy: 'Sign again with a certificate that is valid when the signature is made.',
  },
  'x509.not-yet-valid': {
    status: 403,
    exit: 1,
    means: 'A certificate of the chain was not yet valid at the time that counts.',
    remedy: 'Check the clocks of the signer and of the timestamp authority, then sign again.',
  },
  'x509.authority-period': {
    status: 403,
    exit: 1,
    means: 'The trust root does not trust the authority at the time that counts.',
    remedy: 'Use the trust root that was current at that time, or sign again.',
  },
  'x509.not-a-ca': {
    status: 403,
    exit: 1,
    means: 'A certificate that issued another is not a CA certificate.',
    remedy: 'Sign with a certificate that a CA issued.',
  },
  'x509.path-length': {
    status: 403,
    exit: 1,
    means: 'A chain has more CA certificates below a CA than that CA allows.',
    remedy: 'Have the certificate issued by a CA within the allowed path length.',
  },
  'x509.usage': {
    status: 403,
    exit: 1,
    means: 'A certificate’s key usage or extended key usage does not allow what it was used for.',
    remedy: 'Use a certificate that was issued for this purpose.',
  },
  'x509.critical-extension': {
    status: 403,
    exit: 1,
    means: 'A certificate has a critical extension that Bulla does not process.',
    remedy: 'Have the certificate issued without that extension.',
  },
  'x509.name-constraints': {
    status: 403,
    exit: 1,
    means: 'A name in the chain lies outside of what a CA above it may certify.',
    remedy: 'Have the certificate issued by a CA that may certify its names.',
  },
  'x509.issuer-conflict': {
    status: 403,
    exit: 1,
    means: 'A Fulcio certificate names two different identity issuers.',
    remedy: 'Do not trust the certificate; report it to the operator of its CA.',
  },
  'x509.cms-malformed': {
    status: 400,
    exit: 1,
    means: 'A CMS SignedData is not what RFC 5652 describes, or has not exactly one signer.',
    remedy: 'Get the document again from where it was made.',
  },
  'x509.sct-missing': {
    status: 403,
    exit: 1,
    means: 'The certificate carries no signed certificate timestamp.',
    remedy: 'Sign with a certificate of a CA that submits to a certificate-transparency log.',
  },
  'x509.sct-malformed': {
    status: 403,
    exit: 1,
    means: 'A signed certificate timestamp is not what RFC 6962 or static-ct-api describes.',
    remedy: 'Sign again with a new certificate; if it persists, report it to the CA’s operator.',
  },
  'x509.sct-log-unknown': {
    status: 403,
    exit: 1,
    means: 'A signed certificate timestamp is of a log that the trust root does not name.',
    remedy: 'Check that the trust root is the one of the CA that issued the certificate.',
  },
  'x509.sct-log-period': {
    status: 403,
    exit: 1,
    means: 'The trust root does not trust the CT log at the time of its timestamp.',
    remedy: 'Use the trust root that was current at that time, or sign again.',
  },
  'x509.sct-invalid': {
    status: 403,
    exit: 1,
    means:
      'The signature of a signed certificate timestamp is not the log’s over this certificate.',
    remedy: 'Do not trust the certificate: the log has not seen it.',
  },
} as const;
