import { printable, type TrustFault } from '@bulla/trust/fault/fault';
import { writePath } from '@bulla/trust/images/field-path';
import type { ObjectImage } from '@bulla/trust/images/object-images';
import { publicFault } from '../http/public-fault.ts';
import { compatLines } from './compat.ts';
import type { AdmissionConfig } from './config.ts';
import type { Clause, Offence, Remark } from './judge.ts';

/** So many images are explained in full; the others are named with their codes. */
const EXPLAINED = 20;
const SAYS_LONGEST = 400;
const REFERENCE_LONGEST = 512;
const PLACES_NAMED = 4;

/**
 * Why an object is kept out: every image that does so, with each clause that failed, its code, what to
 * do, and the decision's id.
 */
export function denialText(
  offences: readonly Offence[],
  secretsFault: TrustFault | null,
  config: Pick<AdmissionConfig, 'denials'>,
): string {
  const head =
    offences.length === 1 ? '1 image is refused' : `${offences.length} images are refused`;
  const lines = offences.map((offence, index) =>
    index < EXPLAINED ? explained(offence) : named(offence),
  );
  const secrets =
    secretsFault === null
      ? []
      : [
          `pull secrets could not be read (${secretsFault.code}): ${cut(publicFault(secretsFault).message)}`,
        ];
  const compat = config.denials === 'bulla' ? [] : offences.flatMap(compatLines);
  return [...compat, `${head}:`, ...lines, ...secrets].join('\n');
}

function explained(offence: Offence): string {
  const { clauses, decisionId } = offence;
  const reasons = clauses.map(
    ({ policy, code, says, remedy }) =>
      `  ${policyText(policy)}${code}: ${cut(says)}\n    what to do: ${cut(remedy)}`,
  );
  const decision = decisionId === null ? [] : [`  decision ${decisionId}`];
  return [`- ${nameOf(offence)}`, ...reasons, ...decision].join('\n');
}

function named(offence: Offence): string {
  const codes = offence.clauses.map(({ code }: Clause) => code).join(', ');
  const decision = offence.decisionId === null ? '' : `, decision ${offence.decisionId}`;
  return `- ${nameOf(offence)}: ${codes}${decision}`;
}

function policyText(policy: string | null): string {
  return policy === null ? '' : `policy ${printable(policy)}: `;
}

function nameOf({ reference, places }: Offence): string {
  const shown = places.slice(0, PLACES_NAMED).map(placeText);
  const more = places.length > PLACES_NAMED ? [`${places.length - PLACES_NAMED} more`] : [];
  const name = reference === null ? 'no image' : printable(cut(reference, REFERENCE_LONGEST));
  return `${name} (${[...shown, ...more].join(', ')})`;
}

const PLACES = {
  container: 'container',
  init: 'init container',
  ephemeral: 'ephemeral container',
  volume: 'volume',
  field: 'field',
} as const;

function placeText({ place, name, path }: ObjectImage): string {
  return `${PLACES[place]} ${name === null ? writePath(path) : printable(cut(name))}`;
}

function cut(text: string, longest: number = SAYS_LONGEST): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : printable(text);
}

/** The API server's budget (enforcement reference 2.1): what is over it is cut, or thrown away. */
const WARNING_LONGEST = 120;
const WARNINGS_LONGEST = 4096;
const REFERENCE_IN_WARNING = 60;

/**
 * Warnings for whoever made the request, within the budget: those about the object as they are, then
 * one for each image, which it begins with.
 */
export function warningTexts(
  ofObject: readonly string[],
  remarks: readonly Remark[],
): readonly string[] {
  const texts = new Set(
    remarks.map(({ reference, says }) =>
      runes(printable(`${tail(reference)}: ${says}`), WARNING_LONGEST),
    ),
  );
  const kept = [...ofObject];
  // The last place is for how many there are beside them.
  let left = WARNINGS_LONGEST - WARNING_LONGEST - [...ofObject.join('')].length;
  for (const text of texts) {
    left -= [...text].length;
    if (left < 0) {
      const more = texts.size - (kept.length - ofObject.length);
      return [...kept, `${more} more warnings stand in the record`];
    }
    kept.push(text);
  }
  return kept;
}

const DIGEST_IN_WARNING = '@sha256:0123456789ab'.length;

/** The end of a long name says which image it is; of the digest behind it the beginning is enough. */
function tail(reference: string): string {
  const at = reference.lastIndexOf('@');
  const name = [...(at === -1 ? reference : reference.slice(0, at))];
  const digest = at === -1 ? [] : [...reference.slice(at)].slice(0, DIGEST_IN_WARNING);
  const longest = REFERENCE_IN_WARNING - digest.length;
  const shown = name.length <= longest ? name : ['…', ...name.slice(1 - longest)];
  return [...shown, ...digest].join('');
}

function runes(text: string, longest: number): string {
  const points = [...text];
  return points.length <= longest ? text : `${points.slice(0, longest - 1).join('')}…`;
}
