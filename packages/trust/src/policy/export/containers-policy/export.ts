import { stringify } from 'yaml';
import { encodeBase64 } from '../../../bytes/base64.ts';
import type { NameAlias } from '../../names.ts';
import type { ReadyPolicy } from '../../policy-set.ts';
import { type ExportNote, liesUnder } from '../note.ts';
import type { SignerClause } from '../signers.ts';
import { type ExportPlace, type ScopeRow, scopeTable } from '../table.ts';

/** What the files are for, beside the place. */
export interface ContainersPolicyOptions {
  /** Mirrors, each of which needs an entry of its own in registries.d. */
  readonly mirrors: readonly NameAlias[];
  /** Namespaces that CRI-O gets a file of its own for. */
  readonly namespaces: readonly string[];
  /** Whether lists of keys may be written, which older versions refuse with the whole file. */
  readonly keyLists: boolean;
}

/** Files by their path within the folder, and what could not be said. */
export interface ExportedFiles {
  readonly files: ReadonlyMap<string, string>;
  readonly notes: readonly ExportNote[];
}

/**
 * containers-policy.json(5) and containers-registries.d(5) that refuse whatever the policies refuse,
 * for podman, skopeo, buildah and CRI-O. `default` is reject; the most specific scope decides, and all
 * requirements of it must hold. Nothing is ever accepted without a signature.
 */
export function exportContainersPolicy(
  policies: readonly ReadyPolicy[],
  place: ExportPlace,
  options: ContainersPolicyOptions,
): ExportedFiles {
  const files = new Map<string, string>();
  const notes: ExportNote[] = [];
  const rows: ScopeRow[] = [];
  const write = (path: string, at: ExportPlace): void => {
    const table = scopeTable(policies, at);
    const written = table.rows.map((row) => withoutLists(row, options, notes));
    notes.push(...table.notes);
    rows.push(...written);
    files.set(path, policyJson(written));
  };
  write('policy.json', place);
  for (const namespace of options.namespaces) {
    write(`policies/${namespace}.json`, { ...place, namespace });
  }
  files.set('registries.d/bulla.yaml', registriesYaml(rows, options.mirrors));
  const distinct = new Map(notes.map((note) => [JSON.stringify(note), note]));
  return { files, notes: [...distinct.values()] };
}

function withoutLists(
  row: ScopeRow,
  { keyLists }: ContainersPolicyOptions,
  notes: ExportNote[],
): ScopeRow {
  const isList = row.clauses?.some(
    ({ kind, ...clause }) =>
      clause.rekor.length > 1 || (kind === 'keys' && 'pems' in clause && clause.pems.length > 1),
  );
  if (keyLists || isList !== true) return row;
  notes.push({ policy: null, scope: row.scope, what: 'a list of keys', effect: 'reject' });
  return { ...row, clauses: null };
}

function policyJson(rows: readonly ScopeRow[]): string {
  const docker = Object.fromEntries(rows.map((row) => [row.scope, requirementsOf(row)]));
  const transports = rows.length === 0 ? {} : { transports: { docker } };
  return `${JSON.stringify({ default: [REJECT], ...transports }, null, 2)}\n`;
}

const REJECT = { type: 'reject' } as const;

function requirementsOf({ scope, repository, clauses }: ScopeRow): readonly object[] {
  if (clauses === null) return [REJECT];
  // cosign's signatures name a repository and no tag.
  const signedIdentity = repository
    ? { type: 'exactRepository', dockerRepository: scope }
    : { type: 'matchRepository' };
  return clauses.map((clause) => ({
    type: 'sigstoreSigned',
    ...signerOf(clause),
    ...listed('rekorPublicKeyData', clause.rekor),
    signedIdentity,
  }));
}

function signerOf(clause: SignerClause): object {
  if (clause.kind === 'keys') return listed('keyData', clause.pems);
  const { roots, issuer, email } = clause;
  return { fulcio: { caData: base64(roots.join('')), oidcIssuer: issuer, subjectEmail: email } };
}

/** One as `name`, several as `names`: the one is what older versions know. */
function listed(name: string, pems: readonly string[]): object {
  const [only] = pems;
  if (only === undefined) return {};
  return pems.length === 1 ? { [name]: base64(only) } : { [`${name}s`]: pems.map(base64) };
}

function base64(text: string): string {
  return encodeBase64(Buffer.from(text));
}

/** Without this option no signature is looked for; a mirror is asked by its own name. */
function registriesYaml(rows: readonly ScopeRow[], mirrors: readonly NameAlias[]): string {
  const scopes = [
    ...new Set(rows.flatMap(({ scope, clauses }) => (clauses === null ? [] : [scope]))),
  ];
  const mirrored = mirrors.flatMap(({ from, to }) =>
    scopes.flatMap((scope) => {
      if (liesUnder(scope, to)) return [`${from}${scope.slice(to.length)}`];
      return liesUnder(to, scope) ? [from] : [];
    }),
  );
  const named = [...new Set([...scopes, ...mirrored])].filter((scope) => scope !== '').toSorted();
  const reads = { 'use-sigstore-attachments': true };
  return stringify(
    {
      ...(scopes.includes('') ? { 'default-docker': reads } : {}),
      docker: Object.fromEntries(named.map((scope) => [scope, reads])),
    },
    { aliasDuplicateObjects: false },
  );
}
