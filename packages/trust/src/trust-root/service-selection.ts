import { covers, describePeriod, type ValidityPeriod } from '../crypto/validity-period.ts';
import { printable, TrustFault } from '../fault/fault.ts';

/** One service that a signing configuration names. */
export interface ConfiguredService {
  readonly url: string;
  readonly majorApiVersion: number;
  readonly validFor: ValidityPeriod;
  /** Who runs it; at most one service of an operator is used. */
  readonly operator: string;
}

/** How many of the services are used (ServiceSelector); `count` is for `EXACT`. */
export type ServiceSelector =
  | { readonly selector: 'ALL' | 'ANY' }
  | { readonly selector: 'EXACT'; readonly count: number };

/** The services of one kind and how many of them are used. */
export interface ServiceList {
  readonly services: readonly ConfiguredService[];
  readonly selector: ServiceSelector;
}

/**
 * The services to use at `at` (sigstore_trustroot.proto Service): those of the highest version in
 * `supported`, valid at `at`, newest first, one per operator, as many as the selector says. Of
 * `ANY` the newest is taken, so that two runs use the same. Empty when none is configured. Throws
 * `signing-config.no-service` when the list cannot be satisfied.
 */
export function selectFrom(
  list: ServiceList,
  what: string,
  supported: readonly number[],
  at: Date,
): readonly ConfiguredService[] {
  const { services, selector } = list;
  if (services.length === 0) return [];
  const usable = services
    .filter(({ majorApiVersion }) => supported.includes(majorApiVersion))
    .filter(({ validFor }) => covers(validFor, at));
  const version = Math.max(...usable.map(({ majorApiVersion }) => majorApiVersion));
  const newest = usable
    .filter(({ majorApiVersion }) => majorApiVersion === version)
    .toSorted((a, b) => startOf(b) - startOf(a));
  const byOperator = newest.filter(
    ({ operator }, index) => newest.findIndex((other) => other.operator === operator) === index,
  );
  const wanted =
    selector.selector === 'ANY' ? 1 : selector.selector === 'EXACT' ? selector.count : 0;
  if (byOperator.length === 0 || byOperator.length < wanted) {
    throw new TrustFault(
      'signing-config.no-service',
      `expected ${wanted === 0 ? 'a' : wanted} ${what} of API version ${supported.join(' or ')}, valid at ${at.toISOString()}, each of another operator; the configuration names ${services.map(describe).join(', ')}`,
    );
  }
  return selector.selector === 'ALL' ? byOperator : byOperator.slice(0, wanted);
}

function startOf({ validFor }: ConfiguredService): number {
  return validFor.start?.getTime() ?? Number.NEGATIVE_INFINITY;
}

function describe({ url, majorApiVersion, validFor, operator }: ConfiguredService): string {
  return printable(`${url} (version ${majorApiVersion}, ${describePeriod(validFor)}, ${operator})`);
}
