/** Faults of decoding: bytes that are not what their container says they are. */
export const BYTES_CODES = {
  'bytes.base64': {
    status: 400,
    exit: 1,
    means:
      'Text that must be base64 has a character, a length or a padding that base64 does not allow.',
    remedy: 'Get the document again from where it was made; base64 was damaged or cut on the way.',
  },
  'bytes.hex': {
    status: 400,
    exit: 1,
    means: 'Text that must be hexadecimal has another character or an odd length.',
    remedy: 'Get the document again from where it was made.',
  },
  'bytes.pem': {
    status: 400,
    exit: 2,
    means: 'A file that must be PEM has no block of the expected label, or the block is damaged.',
    remedy: 'Give a PEM file with the label that the message names.',
  },
  'der.malformed': {
    status: 400,
    exit: 1,
    means: 'Bytes that must be DER are truncated, not in their shortest form, or of another type.',
    remedy: 'Get the certificate, key or timestamp again from where it was issued.',
  },
  'der.limit': {
    status: 400,
    exit: 1,
    means: 'A DER value nests deeper or is larger than any honest one.',
    remedy: 'Get the certificate, key or timestamp again from where it was issued.',
  },
  'json.malformed': {
    status: 400,
    exit: 1,
    means: 'Bytes that must be JSON in UTF-8 are not.',
    remedy: 'Get the document again from where it was made; it was cut or altered.',
  },
  'json.duplicate-key': {
    status: 400,
    exit: 1,
    means:
      'A JSON object has the same key twice, so that two readers could understand it differently.',
    remedy: 'Have the document made again by a tool that writes each key once.',
  },
  'json.limit': {
    status: 413,
    exit: 1,
    means: 'A JSON document is larger or nests deeper than the limit for its kind.',
    remedy: 'Check that the right file was given; no honest document of this kind is that large.',
  },
  'json.number': {
    status: 400,
    exit: 1,
    means: 'A number cannot be written in canonical JSON (RFC 8785) without loss.',
    remedy: 'Write integers above 2^53 as strings.',
  },
} as const;
