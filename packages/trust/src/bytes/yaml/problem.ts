import { type Code, codeEntry } from '../../fault/codes.ts';
import { printable } from '../../fault/fault.ts';
import type { Place } from './node.ts';

/** One mistake in a file that people write, or one remark on it. An error refuses the document. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly code: Code;
  /** What was expected and what was found, with the path but without file and line. */
  readonly message: string;
  /** An act that the writer of the file can take. */
  readonly remedy: string;
  readonly place: Place;
}

/** An error at `place`; without a remedy it has the one of the code's row. */
export function problemAt(place: Place, code: Code, message: string, remedy?: string): Problem {
  return { severity: 'error', code, message, remedy: remedy ?? codeEntry(code).remedy, place };
}

/** A remark at `place`: printed, and refusing nothing. */
export function warningAt(place: Place, code: Code, message: string, remedy?: string): Problem {
  return { ...problemAt(place, code, message, remedy), severity: 'warning' };
}

/** Whether any of `problems` refuses the document. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

/** A problem in one line: `file:line:column: code: message`, as editors and CI read it. */
export function problemLine({ place, code, message, severity }: Problem): string {
  const where = `${printable(place.file)}:${place.line}:${place.column}`;
  return `${where}: ${severity === 'warning' ? 'warning: ' : ''}${code}: ${message}`;
}
