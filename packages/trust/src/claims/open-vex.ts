import {
  asArray,
  asInstant,
  asObject,
  asOneOf,
  asString,
  asStringMap,
  type Cursor,
  cursor,
  member,
  optional,
} from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { PREDICATE_TYPES, predicateTypeMatches } from './predicate-type.ts';
import type { Statement } from './statement.ts';

const STATUSES = ['not_affected', 'affected', 'fixed', 'under_investigation'] as const;

/** A piece of software that a VEX statement is about, by whatever names it gives. */
export interface VexComponent {
  /** `@id` and all identifiers; package URLs among them. */
  readonly ids: readonly string[];
  /** `sha-256` → hex, as IANA names the hashes. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** A product, and the components in it that a statement is narrowed to; none: all of the product. */
export interface VexProduct extends VexComponent {
  readonly subcomponents: readonly VexComponent[];
}

/** One statement of an OpenVEX document. */
export interface VexStatement {
  /** Name, id and aliases of the vulnerability. */
  readonly names: readonly string[];
  readonly status: (typeof STATUSES)[number];
  /** Null: the subject of the attestation is the product (OpenVEX ATTESTING.md). */
  readonly products: readonly VexProduct[] | null;
  /**
   * When it was known to be true; the document's time where it has none of its own. One that clears
   * nothing holds as of its last update: what an author added to it is no older.
   */
  readonly at: Date;
  /** Whether `not_affected` says why, which it must (OpenVEX "Statement Fields"). */
  readonly isJustified: boolean;
}

const MAX_STATEMENTS = 100_000;

/** The statements of an attested OpenVEX document. Throws `predicate.malformed`. */
export function readOpenVex(statement: Statement): readonly VexStatement[] {
  const { predicateType, predicate } = statement;
  if (!predicateTypeMatches(PREDICATE_TYPES.openvex, predicateType)) {
    throw new TrustFault(
      'predicate.malformed',
      `expected an OpenVEX document, found a statement of type ${quote(predicateType)}`,
    );
  }
  const at = cursor(predicate, 'predicate', 'predicate.malformed');
  const issued = asInstant(member(at, 'timestamp'));
  return asArray(
    member(at, 'statements'),
    (entry) => asVexStatement(entry, issued),
    MAX_STATEMENTS,
  );
}

function asVexStatement(at: Cursor, issued: Date): VexStatement {
  const status = asOneOf(member(at, 'status'), STATUSES);
  const narrowed = optional(member(at, 'subcomponents'), asComponents) ?? [];
  const products = optional(member(at, 'products'), (list) =>
    asArray(list, (product) => asProduct(product, narrowed)),
  );
  const reasons = ['justification', 'impact_statement'].map((key) =>
    optional(member(at, key), asString),
  );
  const since = optional(member(at, 'timestamp'), asInstant) ?? issued;
  const updated = optional(member(at, 'last_updated'), asInstant) ?? since;
  const isOpen = status === 'affected' || status === 'under_investigation';
  return {
    names: namesOf(member(at, 'vulnerability')),
    status,
    products: products === undefined || products.length === 0 ? null : products,
    at: isOpen && updated > since ? updated : since,
    isJustified: reasons.some((reason) => reason !== undefined && reason.trim() !== ''),
  };
}

/** Version 0.0 of OpenVEX named a vulnerability by a bare string. */
function namesOf(at: Cursor): readonly string[] {
  if (typeof at.value === 'string') return [at.value];
  const aliases = optional(member(at, 'aliases'), (list) => asArray(list, asString)) ?? [];
  const id = optional(member(at, '@id'), asString);
  const name = optional(member(at, 'name'), asString);
  return [name, id, ...aliases].filter((each) => each !== undefined);
}

function asComponents(at: Cursor): readonly VexComponent[] {
  return asArray(at, asComponent);
}

/** Version 0.0 named products and components by bare strings, and components beside the products. */
function asProduct(at: Cursor, narrowed: readonly VexComponent[]): VexProduct {
  if (typeof at.value === 'string') return { ...asComponent(at), subcomponents: narrowed };
  const own = optional(member(at, 'subcomponents'), asComponents) ?? [];
  return { ...asComponent(at), subcomponents: [...own, ...narrowed] };
}

function asComponent(at: Cursor): VexComponent {
  if (typeof at.value === 'string') return { ids: [at.value], hashes: {} };
  asObject(at);
  const id = optional(member(at, '@id'), asString);
  const identifiers = optional(member(at, 'identifiers'), asStringMap) ?? {};
  return {
    ids: [...(id === undefined ? [] : [id]), ...Object.values(identifiers)],
    hashes: optional(member(at, 'hashes'), asStringMap) ?? {},
  };
}
