import type { SimulationAsk } from '../../api/simulations.ts';

/** Spans of the record that may be asked again, in days. */
export const DAYS = [1, 7, 30, 90] as const;

/** What the form is about. */
export type AskKind = SimulationAsk['kind'];

/** The question that the form's fields ask, or what is missing in them. */
export function readAsk(kind: AskKind, form: FormData): SimulationAsk | string {
  const days = Number(text(form, 'days'));
  if (kind === 'simulation') {
    const policy = String(form.get('policy') ?? '');
    const remove = words(form, 'remove');
    if (policy.trim() === '' && remove.length === 0) {
      return 'Write the policies as YAML, or name policies that would go.';
    }
    const documents = policy.trim() === '' ? [] : [{ file: 'candidate.yaml', text: policy }];
    return { kind, days, documents, remove };
  }
  const [from, to] = [text(form, 'from'), text(form, 'to')];
  if ((from === '') !== (to === '')) return 'Name the former identity and the new one.';
  const renameIdentities = from === '' ? [] : [{ from, to }];
  const [retireKeys, retireRoots] = [keys(form), lines(form, 'roots')];
  if (renameIdentities.length + retireKeys.length + retireRoots.length === 0) {
    return 'Name at least one key, identity or trust root that would count no more.';
  }
  return { kind, days, runningDays: days, retireKeys, renameIdentities, retireRoots };
}

/** Keys by id or by the name of an authority, one a line; or public keys in PEM. */
function keys(form: FormData): readonly string[] {
  const given = text(form, 'keys');
  const pems = given.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? [];
  const rest = pems.reduce((left, pem) => left.replace(pem, '\n'), given);
  return [...pems, ...splitLines(rest)];
}

function lines(form: FormData, name: string): readonly string[] {
  return splitLines(text(form, name));
}

function splitLines(given: string): readonly string[] {
  return given
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function words(form: FormData, name: string): readonly string[] {
  return text(form, name)
    .split(/[\s,]+/)
    .filter((word) => word !== '');
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
