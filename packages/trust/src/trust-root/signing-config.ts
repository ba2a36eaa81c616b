import { parseJson } from '../bytes/json.ts';
import { protoField } from '../bytes/protojson.ts';
import {
  asArray,
  asCount,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  optional,
} from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import {
  type ConfiguredService,
  type ServiceList,
  type ServiceSelector,
  selectFrom,
} from './service-selection.ts';
import { parsePeriod } from './validity-period.ts';

/** The services that a signer is to use (sigstore_trustroot.proto SigningConfig). */
export interface SigningConfig {
  readonly name: string;
  readonly rekor: ServiceList;
  readonly tsa: ServiceList;
}

/** A service that was chosen. */
export type SelectedService = Pick<ConfiguredService, 'url' | 'majorApiVersion'>;

/** Where a signature is logged and timestamped; empty where the configuration names no service. */
export interface SelectedServices {
  readonly rekor: readonly SelectedService[];
  readonly tsa: readonly SelectedService[];
}

const MEDIA_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';
const MAX_BYTES = 1 << 20;
const MAX_SERVICES = 1000;

/** Versions of the services' interfaces that the clients speak. */
const REKOR_VERSIONS = [2];
const TSA_VERSIONS = [1];

/**
 * The signing configuration in `bytes`, version 0.2; unknown fields are tolerated. Certificate
 * authorities and identity providers are not read. Throws `signing-config.version`,
 * `signing-config.malformed` and the faults of JSON.
 */
export function parseSigningConfig(bytes: Uint8Array, name: string): SigningConfig {
  const value = parseJson(bytes, name, { maxBytes: MAX_BYTES });
  const at = cursor(value, name, 'signing-config.malformed');
  const mediaType = asString(protoField(at, 'mediaType'));
  if (mediaType !== MEDIA_TYPE) {
    throw new TrustFault(
      'signing-config.version',
      `expected a signing configuration of version 0.2 in ${name}, found media type ${quote(mediaType)}`,
    );
  }
  return {
    name,
    rekor: serviceList(protoField(at, 'rekorTlogUrls'), protoField(at, 'rekorTlogConfig')),
    tsa: serviceList(protoField(at, 'tsaUrls'), protoField(at, 'tsaConfig')),
  };
}

function serviceList(services: Cursor, config: Cursor): ServiceList {
  const found = optional(services, (list) => asArray(list, asService, MAX_SERVICES)) ?? [];
  // Without services nothing is chosen, and then a selector may be missing.
  if (found.length === 0) return { services: [], selector: { selector: 'ALL' } };
  return { services: found, selector: asSelector(config) };
}

function asService(at: Cursor): ConfiguredService {
  const url = protoField(at, 'url');
  return {
    url: asServiceUrl(url),
    // sigstore_trustroot.proto: 0, which ProtoJSON leaves out, is a service that is not released.
    majorApiVersion: optional(protoField(at, 'majorApiVersion'), asCount) ?? 0,
    validFor: parsePeriod(protoField(at, 'validFor')),
    operator: optional(protoField(at, 'operator'), asString) ?? '',
  };
}

/** Service.url: with scheme and authority. */
function asServiceUrl(at: Cursor): string {
  const text = asString(at);
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new TrustFault(
      at.code,
      `expected an http or https URL at ${at.path}, found ${quote(text)}`,
    );
  }
  return text;
}

function asSelector(at: Cursor): ServiceSelector {
  const selector = asOneOf(protoField(at, 'selector'), ['ALL', 'ANY', 'EXACT']);
  if (selector !== 'EXACT') return { selector };
  const count = asCount(protoField(at, 'count'));
  if (count === 0) throw new TrustFault(at.code, `EXACT needs a count above 0 at ${at.path}`);
  return { selector, count };
}

/**
 * The services to use at `at`: Rekor v2 logs and RFC 3161 authorities. Throws
 * `signing-config.no-service` when the configuration names services of a kind and none, or too
 * few, are usable: signing without the log that was asked for would be a surprise.
 */
export function selectServices(config: SigningConfig, at: Date): SelectedServices {
  const only = ({ url, majorApiVersion }: ConfiguredService) => ({ url, majorApiVersion });
  return {
    rekor: selectFrom(config.rekor, 'transparency log', REKOR_VERSIONS, at).map(only),
    tsa: selectFrom(config.tsa, 'timestamp authority', TSA_VERSIONS, at).map(only),
  };
}
