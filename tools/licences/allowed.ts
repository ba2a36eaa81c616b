/** SPDX identifiers that let Bulla be built with, and shipped under Apache-2.0. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-3.0',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'PSF-2.0',
  'Unlicense',
  'Zlib',
]);

/**
 * Whether an SPDX expression is satisfied by allowed licences: one side of an OR, every side of an
 * AND. Parentheses around the whole are read; nested ones, WITH and `+` count as not allowed.
 */
export function licenceIsAllowed(expression: string): boolean {
  const flat = expression.trim().replace(/^\(([^()]*)\)$/, '$1');
  return flat
    .split(' OR ')
    .some((side) => side.split(' AND ').every((id) => ALLOWED.has(id.trim())));
}
