import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { durationMsOf, sizeBytesOf } from '@bulla/trust/bytes/yaml/quantity';
import {
  addProblem,
  listOf,
  oneOf,
  type Read,
  readBoolean,
  readText,
  type YamlCursor,
} from '@bulla/trust/bytes/yaml/read';
import { asFault } from '@bulla/trust/fault/fault';
import { parseFieldPath } from '@bulla/trust/images/field-path';
import { compilePattern } from '@bulla/trust/policy/pattern';
import type { AdmissionSection } from './config.ts';
import { tlsPortFields } from './tls-port.ts';

const UNKNOWN = 'config.unknown-member';
const DEFAULTS = {
  pin: 'tag-and-digest',
  denials: 'bulla',
  marginMs: 500,
  maxBodyBytes: 8 << 20,
} as const satisfies Partial<AdmissionSection>;

const readPin: Read<AdmissionSection['pin']> = oneOf(['tag-and-digest', 'digest', 'none']);
const readDenials: Read<AdmissionSection['denials']> = oneOf(['bulla', 'policy-controller']);

/** Kubernetes' webhook, on a TLS port of its own. */
export function admissionOf(readPath: Read<string>): Read<AdmissionSection> {
  return (at) => {
    const fields = readFields(
      at,
      {
        ...tlsPortFields(readPath),
        clientCa: optional(readPath, null),
        cluster: optional(readText, null),
        pin: optional(readPin, DEFAULTS.pin),
        nodesPullThrough: optional(readBoolean, false),
        namespaces: optional(listOf(readGlob, { min: 1, max: 1000 }), null),
        exempt: optional(listOf(readExemption, { max: 1000 }), []),
        kinds: optional(listOf(readKind, { max: 1000 }), []),
        margin: optional(durationMsOf({ minMs: 0, maxMs: 10_000 }), DEFAULTS.marginMs),
        // An update of two objects of 3 MiB each has to fit.
        maxBody: optional(
          sizeBytesOf({ minBytes: 1 << 20, maxBytes: 64 << 20 }),
          DEFAULTS.maxBodyBytes,
        ),
        denials: optional(readDenials, DEFAULTS.denials),
      },
      UNKNOWN,
    );
    if (fields === undefined) return undefined;
    const { margin, maxBody, ...rest } = fields;
    return { ...rest, marginMs: margin, maxBodyBytes: maxBody };
  };
}

function readExemption(at: YamlCursor) {
  const images: Read<readonly string[]> = listOf(readGlob, { min: 1, max: 1000 });
  return readFields(at, { namespace: required(readGlob), images: optional(images, null) }, UNKNOWN);
}

function readKind(at: YamlCursor) {
  const paths = listOf(readFieldPath, { max: 100 });
  const fields = readFields(
    at,
    {
      group: required(readText),
      kind: required(readText),
      podTemplates: optional(paths, []),
      images: optional(paths, []),
    },
    UNKNOWN,
  );
  if (fields === undefined) return undefined;
  if (fields.podTemplates.length + fields.images.length > 0) return fields;
  return addProblem(at, `expected podTemplates or images at ${at.place.path}`);
}

/** Globs of namespaces and of canonical names, as policies have them. */
const readGlob: Read<string> = checked((glob) => compilePattern({ glob }));
const readFieldPath: Read<string> = checked(parseFieldPath);

function checked(check: (text: string) => unknown): Read<string> {
  return (at) => {
    const text = readText(at);
    if (text === undefined) return undefined;
    try {
      check(text);
      return text;
    } catch (error) {
      const { code, message } = asFault(error);
      if (code === 'internal.defect') throw error;
      return addProblem(at, `${message}, at ${at.place.path}`);
    }
  };
}
