import type { CodeEntry, ExitCode } from '@bulla/trust/fault/code-table';
import { CODES } from '@bulla/trust/fault/codes';

const EXITS = {
  1: '1, refused',
  2: '2, wrong use',
  3: '3, inconclusive',
  4: '4, a defect of Bulla',
} as const satisfies Record<ExitCode, string>;

/** `docs/errors.md`: every fault code with an anchor of its own name, grouped by area. */
export function renderErrors(): string {
  const entries: readonly (readonly [string, CodeEntry])[] = Object.entries(CODES);
  const areas = Map.groupBy(
    [...entries].sort(([a], [b]) => (a < b ? -1 : 1)),
    ([code]) => code.split('.')[0] ?? '',
  );
  return [
    HEAD,
    [...areas].map(([area, { length }]) => `- [${area}](#${area}): ${length}`).join('\n'),
    ...[...areas].map(([area, rows]) => `## ${area}\n\n${rows.map(renderRow).join('\n\n')}`),
  ]
    .join('\n\n')
    .concat('\n');
}

const HEAD = `# Errors

<!-- Generated from packages/trust/src/fault/codes by \`npm run generate\`; do not edit. -->

Each failed finding and each fault carries one of these codes. The message beside it says what was
expected and what was found; the remedy is what you can do. A server answers with the HTTP status,
the command ends with the exit code.`;

function renderRow([code, { means, remedy, status, exit }]: readonly [string, CodeEntry]): string {
  return `### <a id="${code}"></a>\`${code}\`

${means}

- Remedy: ${remedy}
- HTTP status ${status} · exit code ${EXITS[exit]}`;
}
