import { boundClauses } from '@bulla/trust/policy/exceptions/clause-digest';
import type { InForce } from '../decision/policies.ts';
import { type ReadyCheck, runChecks } from '../http/probes.ts';

/** Decisions of the last day. */
export interface DayCounts {
  readonly admitted24h: number;
  readonly denied24h: number;
  /** Admitted though a policy in mode `warn` is not satisfied. */
  readonly warned24h: number;
  /** Admitted though a policy in mode `audit` is not satisfied: only recorded. */
  readonly audited24h: number;
}

/** What of break-glass somebody has to know of and to look at. */
export interface GlassCounts {
  /** Break-glass documents that hold now. */
  readonly breakGlassInForce: number;
  /** Uses of break-glass that nobody has reviewed. */
  readonly openReviews: number;
}

/** A policy file as it was read. */
export interface PolicyText {
  readonly file: string;
  readonly text: string;
}

/** What an overview is made from. */
export interface OverviewParts {
  readonly version: string;
  readonly startedAt: Date;
  readonly origin: () => string | null;
  readonly addresses: () => readonly string[];
  /** The certificate of the local authority that clients must trust; null where none was made. */
  readonly caCertificate: () => string | null;
  readonly services: readonly { readonly name: string; readonly state: 'running' | 'off' }[];
  readonly storage: { readonly tables: string; readonly objects: string };
  readonly inForce: () => InForce;
  readonly texts: () => readonly PolicyText[];
  /** What files say of policies that a cut-over enforces, by name; absent: there are none. */
  readonly fileModes?: () => ReadonlyMap<string, string>;
  /** The name of the policy that the first start wrote; it is there until somebody replaces it. */
  readonly starterPolicy: string | null;
  readonly checks: readonly ReadyCheck[];
  readonly counts: () => Promise<DayCounts>;
  readonly glass: () => Promise<GlassCounts>;
  readonly anonymousPull: boolean | 'loopback';
}

/** What the overview page shows. */
export interface Overview extends GlassCounts {
  readonly version: string;
  readonly startedAt: string;
  readonly origin: string | null;
  readonly addresses: readonly string[];
  readonly caCertificate: string | null;
  readonly services: readonly { readonly name: string; readonly state: string }[];
  readonly storage: { readonly tables: string; readonly objects: string };
  readonly policies: {
    readonly count: number;
    readonly hash: string | null;
    readonly warnings: readonly string[];
    /** Whether the policy of the first start is in force and refuses nothing yet. */
    readonly starter: boolean;
  };
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
  readonly counts: DayCounts;
  readonly anonymousPull: string;
}

/** The policies in force with the text of their files. */
export interface PoliciesView {
  readonly hash: string | null;
  readonly loadedAt: string;
  readonly policies: readonly PolicyView[];
  readonly files: readonly PolicyText[];
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  readonly warnings: readonly string[];
}

/** One policy in force. */
export interface PolicyView {
  readonly name: string;
  readonly mode: string;
  /** What its file says; another than `mode` where a cut-over enforces it. */
  readonly fileMode: string;
  readonly hash: string;
  /** The file that it was read from, as in `files`; null where that is not known. */
  readonly file: string | null;
  readonly description: string | null;
  readonly images: readonly string[];
  readonly exclude: readonly string[];
  readonly surfaces: readonly string[];
  readonly authorities: readonly {
    readonly name: string;
    readonly kind: string;
    readonly supported: boolean;
  }[];
  /** What exceptions can lift of it, in the order of the text, and the digest of what each says now. */
  readonly clauses: readonly { readonly path: string; readonly digest: string }[];
}

const CHECK_MS = 2000;

/** The overview as of now. Checks that fail or hang are shown as such. */
export async function overviewOf(parts: OverviewParts): Promise<Overview> {
  const { set, warnings, problem } = parts.inForce();
  const [checks, counts, glass] = await Promise.all([
    runChecks(parts.checks, CHECK_MS),
    parts.counts(),
    parts.glass(),
  ]);
  return {
    version: parts.version,
    startedAt: parts.startedAt.toISOString(),
    origin: parts.origin(),
    addresses: parts.addresses(),
    caCertificate: parts.caCertificate(),
    services: parts.services,
    storage: parts.storage,
    policies: {
      count: set?.policies.length ?? 0,
      hash: set?.hash ?? null,
      warnings: problem === null ? warnings : [problem.message, ...warnings],
      starter:
        set?.policies.some(
          ({ document: { name, mode } }) => name === parts.starterPolicy && mode !== 'enforce',
        ) ?? false,
    },
    checks,
    counts,
    breakGlassInForce: glass.breakGlassInForce,
    openReviews: glass.openReviews,
    anonymousPull: String(parts.anonymousPull),
  };
}

/** The policies in force, and the files that they, or would-be successors, stand in. */
export function policiesOf(
  parts: Pick<OverviewParts, 'inForce' | 'texts' | 'fileModes'>,
): PoliciesView {
  const { set, files, loadedAt, problem, warnings } = parts.inForce();
  const pattern = (one: object) =>
    Object.entries(one)
      .map(([kind, text]) => `${kind} ${String(text)}`)
      .join('');
  return {
    hash: set?.hash ?? null,
    loadedAt: loadedAt.toISOString(),
    policies: (set?.policies ?? []).map(({ document, hash, authorities }) => ({
      name: document.name,
      mode: document.mode,
      fileMode: parts.fileModes?.().get(document.name) ?? document.mode,
      hash,
      file: files.get(document.name) ?? null,
      description: document.description,
      images: document.images.map(pattern),
      exclude: document.exclude.map(pattern),
      surfaces: document.surfaces,
      authorities: [...authorities.values()].map(({ name, kind, authority }) => ({
        name,
        kind,
        supported: authority !== null,
      })),
      clauses: boundClauses(document),
    })),
    files: parts.texts(),
    problems: problem === null ? [] : [{ code: problem.code, message: problem.message }],
    warnings,
  };
}
