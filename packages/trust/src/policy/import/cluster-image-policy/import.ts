import type { YamlNode } from '../../../bytes/yaml/node.ts';
import { type Problem, problemAt } from '../../../bytes/yaml/problem.ts';
import { quote } from '../../../fault/fault.ts';
import { type ImportedAuthority, importAuthority, refusing } from './authority.ts';
import type { ClusterImagePolicy } from './document.ts';
import { importGlob } from './glob.ts';
import { type ImportNote, noteOf } from './note.ts';
import { parseClusterImagePolicy } from './parse.ts';

/** What a ClusterImagePolicy comes to here. */
export interface ImportedPolicies {
  /** Documents of TrustPolicy as plain JSON, to be read as any other; none when there is an error. */
  readonly policies: readonly object[];
  /** Each clause that is not simply taken over; a clause is never left out without one. */
  readonly notes: readonly ImportNote[];
  readonly problems: readonly Problem[];
}

/**
 * The TrustPolicy documents that decide as a ClusterImagePolicy of policy.sigstore.dev (v1alpha1,
 * v1beta1) does: any authority satisfies it, and all policies that cover an image must be satisfied.
 * What has no words here refuses (`static`), in the place where it would have let in: an authority, or
 * the whole policy, which still covers its images (PC-25 (a)). An allowance, `static: pass` or mode
 * `warn`, is taken over only where its scope is covered by no more than there. Never throws.
 */
export function importClusterImagePolicy(document: YamlNode): ImportedPolicies {
  const { value, problems } = parseClusterImagePolicy(document);
  if (value === null) return { policies: [], notes: [], problems };
  const scope = importScope(value);
  if (scope.problems.length > 0) {
    return { policies: [], notes: [], problems: [...problems, ...scope.problems] };
  }
  const wanted = importRequirement(value, scope.bounded);
  const notes = [...scope.notes, ...wanted.notes];
  const isAllowance = wanted.passes || (value.mode === 'warn' && scope.bounded);
  const names = isAllowance ? scope.within : scope.covering;
  const policy = {
    apiVersion: 'bulla.dev/v1',
    kind: 'TrustPolicy',
    metadata: { name: value.name },
    spec: {
      description: `ClusterImagePolicy ${value.name} of ${value.apiVersion}`,
      images: names.map((name) => (name.includes('*') ? { glob: name } : { exact: name })),
      mode: wanted.passes ? 'audit' : isAllowance ? 'warn' : 'enforce',
      // cosign's verification is of the digest that was asked for, and of no node below it.
      tree: 'named',
      authorities: wanted.authorities,
      require: wanted.require,
    },
  };
  return { policies: [policy], notes: [...notes, ...modeNotes(value, scope, wanted)], problems };
}

interface Scope {
  readonly covering: readonly string[];
  readonly within: readonly string[];
  /** Whether what the policy covers there is known well enough to let something in by it. */
  readonly bounded: boolean;
  readonly notes: readonly ImportNote[];
  /** A glob that no name matches here would be one that covers nothing without a word. */
  readonly problems: readonly Problem[];
}

function importScope({ images, match }: ClusterImagePolicy): Scope {
  const globs = images.map(({ place, glob }) => ({ place, glob, ...importGlob(glob) }));
  const inexact = globs.flatMap(({ place, glob, inexact: why }) =>
    why === null ? [] : [noteOf(place, 'stricter', `glob ${glob}`, why)],
  );
  const matches = match.map((place) =>
    noteOf(place, 'stricter', 'match', 'it holds for every kind of object and every label'),
  );
  return {
    covering: distinct(globs.flatMap(({ covering }) => covering)),
    within: distinct(globs.flatMap(({ within }) => within ?? [])),
    bounded: match.length === 0 && globs.every(({ within }) => within !== null),
    notes: [...inexact, ...matches],
    problems: globs
      .filter(({ covering }) => covering.length === 0)
      .map(({ place, glob }) => {
        const message = `no image has a name like ${quote(glob)} at ${place.path}`;
        return problemAt(place, 'policy.pattern-invalid', message);
      }),
  };
}

interface Wanted extends ImportedAuthority {
  /** Whether an authority lets in without looking, and may. */
  readonly passes: boolean;
}

function importRequirement(cip: ClusterImagePolicy, bounded: boolean): Wanted {
  const { authorities, policy } = cip;
  const name = 'refused';
  if (policy !== null) {
    const why = `what its ${policy.type} asks of all authorities together cannot be known here`;
    const note = noteOf(policy.place, 'refuses', 'spec.policy', why);
    return {
      ...refusing(name, `${note.place.path} cannot be expressed: ${why}`, [note]),
      passes: false,
    };
  }
  if (authorities.length === 0) {
    const note = noteOf(cip.place, 'refuses', 'no authorities', 'nobody is named who may sign');
    return { ...refusing(name, 'the policy names nobody who may sign', [note]), passes: false };
  }
  const names = distinctNames(authorities.map((authority) => authority.name));
  const free = authorities.filter(
    ({ signer }) => signer.kind === 'static' && signer.answer.action === 'pass',
  );
  const parts = authorities.map((authority, at) => {
    const own = names[at] ?? name;
    return free.includes(authority)
      ? passing(own, authority.place, bounded)
      : importAuthority(authority, own);
  });
  const [only] = parts;
  return {
    authorities: Object.assign({}, ...parts.map((part) => part.authorities)),
    require:
      only !== undefined && parts.length === 1
        ? only.require
        : { any: parts.map((part) => part.require) },
    notes: parts.flatMap(({ notes }) => notes),
    passes: free.length > 0 && bounded,
  };
}

/** Nothing is never enough (semantics 1): the policy records that nothing was looked at. */
function passing(name: string, place: ImportNote['place'], bounded: boolean): ImportedAuthority {
  if (bounded) {
    const why = 'the policy lets in without looking: its mode is audit, and each verdict says so';
    const note = noteOf(place, 'same', 'static: pass', why);
    return refusing(name, `${name} lets in without looking`, [note]);
  }
  const why = 'whom it lets in cannot be said exactly, so it lets in nobody';
  const note = noteOf(place, 'refuses', 'static: pass', why);
  return refusing(name, `${place.path} cannot be expressed: static: pass: ${why}`, [note]);
}

function modeNotes(
  { mode, place }: ClusterImagePolicy,
  { bounded }: Scope,
  { passes }: Wanted,
): readonly ImportNote[] {
  if (mode !== 'warn' || passes || bounded) return [];
  const why = 'whom it would let in cannot be said exactly, so it is enforced';
  return [noteOf(place, 'stricter', 'mode: warn', why)];
}

/** Names as a TrustPolicy has them, each once; without a dot, which numbers keys and identities. */
function distinctNames(names: readonly string[]): readonly string[] {
  const given = new Set<string>();
  // Where to go on counting: a document may name thousands of authorities alike.
  const counted = new Map<string, number>();
  for (const name of names) {
    const plain = name
      .replace(/[^A-Za-z0-9_-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 50);
    const base = plain === '' ? 'authority' : plain;
    let next = counted.get(base) ?? 1;
    let free = base;
    while (given.has(free)) {
      next += 1;
      free = `${base}-${next}`;
    }
    counted.set(base, next);
    given.add(free);
  }
  return [...given];
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
