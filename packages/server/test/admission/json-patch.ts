/** One operation of RFC 6902. */
interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

type Container = Record<string, unknown> | unknown[];

/**
 * The document after a JSON Patch (RFC 6902), as the API server applies it: all or nothing. Throws for
 * an operation that does not apply.
 */
export function applyPatch(document: unknown, patch: readonly Operation[]): unknown {
  const root = { '': structuredClone(document) };
  for (const operation of patch) applyOne(root, operation);
  return root[''];
}

function applyOne(root: { '': unknown }, { op, path, from, value }: Operation): void {
  switch (op) {
    case 'add':
      add(root, path, value);
      return;
    case 'remove':
      remove(root, path);
      return;
    case 'replace':
      remove(root, path);
      add(root, path, value);
      return;
    case 'move':
      add(root, path, remove(root, from ?? ''));
      return;
    case 'copy':
      add(root, path, structuredClone(get(root, from ?? '')));
      return;
    case 'test':
      if (JSON.stringify(get(root, path)) !== JSON.stringify(value))
        throw new Error(`test ${path}`);
      return;
    default:
      throw new Error(`no operation ${op}`);
  }
}

/** RFC 6901 §4; the root is the member '' of what holds it. */
function stepsOf(pointer: string): readonly string[] {
  if (pointer !== '' && !pointer.startsWith('/')) throw new Error(`no pointer: ${pointer}`);
  const steps = pointer.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return ['', ...steps.slice(1)];
}

function parentOf(root: { '': unknown }, pointer: string): readonly [Container, string] {
  const steps = stepsOf(pointer);
  const parent = steps.slice(0, -1).reduce<unknown>((at, step) => child(at, step), root);
  if (typeof parent !== 'object' || parent === null) throw new Error(`no parent of ${pointer}`);
  return [parent as Container, steps.at(-1) ?? ''];
}

function child(at: unknown, step: string): unknown {
  if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) {
    throw new Error(`nothing at ${step}`);
  }
  return (at as Record<string, unknown>)[step];
}

function get(root: { '': unknown }, pointer: string): unknown {
  const [parent, step] = parentOf(root, pointer);
  return child(parent, step);
}

function add(root: { '': unknown }, pointer: string, value: unknown): void {
  const [parent, step] = parentOf(root, pointer);
  if (!Array.isArray(parent)) {
    parent[step] = value;
    return;
  }
  const index = step === '-' ? parent.length : Number(step);
  if (!/^(?:-|0|[1-9][0-9]*)$/.test(step) || index > parent.length)
    throw new Error(`index ${step}`);
  parent.splice(index, 0, value);
}

function remove(root: { '': unknown }, pointer: string): unknown {
  const [parent, step] = parentOf(root, pointer);
  const before = child(parent, step);
  if (Array.isArray(parent)) parent.splice(Number(step), 1);
  else delete parent[step];
  return before;
}
