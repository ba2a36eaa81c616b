import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asFault, quote, systemReason, TrustFault } from '@bulla/trust/fault/fault';
import type { ExceptionDocument, GivenException } from '@bulla/trust/policy/exceptions/document';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { readFileBounded } from './files.ts';
import { collect } from './repeatable.ts';

/** The option of commands that decide with exceptions, as commander gives it. */
export interface ExceptionFlags {
  readonly exception: readonly string[];
}

/** Declares `--exception`. */
export function addExceptionOption(command: Command): Command {
  return command.addOption(
    command
      .createOption('--exception <path>', 'an approved exception, or a folder of them (repeatable)')
      .argParser(collect)
      .default([], 'none'),
  );
}

const MAX_FILES = 10_000;

/**
 * The exceptions of files, and of the `*.json` in folders. Break-glass among them lifts nothing: a file
 * does not prove that its use was recorded. Throws `usage.file`, `exception.malformed`: one that cannot
 * be read is wrong use, and not passed over.
 */
export async function namedExceptions(
  { exception }: ExceptionFlags,
  context: CliContext,
): Promise<readonly GivenException[]> {
  const files = (await Promise.all(exception.map(filesOf))).flat();
  if (files.length > MAX_FILES) {
    const found = `expected at most ${MAX_FILES} exceptions, found ${files.length}`;
    throw new TrustFault('usage.file', found);
  }
  const given: GivenException[] = [];
  for (const file of files) {
    given.push({ document: await readException(file, context), recorded: false });
  }
  return given;
}

/** One document. Throws `usage.file`, and `exception.malformed` for whatever else is wrong with it. */
export async function readException(file: string, context: CliContext): Promise<ExceptionDocument> {
  const [{ parseException }, { EXCEPTION_LIMIT }] = await Promise.all([
    import('@bulla/trust/policy/exceptions/parse'),
    import('@bulla/trust/policy/exceptions/document'),
  ]);
  const bytes = await readFileBounded(file, EXCEPTION_LIMIT, context.signal);
  try {
    return parseException(bytes, file);
  } catch (cause) {
    const { code, message } = asFault(cause);
    if (code === 'internal.defect') throw cause;
    // The caller named the file: what is no exception in it is wrong use, and refuses no image.
    const remedy = 'Name a file that `bulla exception request` or `bulla exception approve` wrote.';
    throw new TrustFault('exception.malformed', message, remedy, { cause });
  }
}

async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (path === '-' || !(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    return names
      .filter((name) => /^[^.].*\.json$/is.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (cause) {
    const message = `cannot read ${quote(path)}: ${systemReason(cause)}`;
    throw new TrustFault('usage.file', message, undefined, { cause });
  }
}
