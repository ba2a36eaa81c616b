import {
  DOSSIER_LIMIT,
  type Dossier,
  readDossier,
  writeDossier,
} from '@bulla/trust/decide/dossier';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { CliContext } from '../context.ts';
import { readFileBounded, writeOutput } from './files.ts';

/** Which of the evidence in a file is meant. */
export interface AskedDossier {
  readonly path: string;
  /** Null where the file holds the evidence of one image only. */
  readonly digest: Digest | null;
  /** Tells apart images of one digest in several repositories. */
  readonly repository: string;
}

/**
 * The stored evidence of a file: lines of JSON, one for each image, as `--save-evidence` and the
 * record's API give them. Throws `usage.file`, `dossier.malformed`.
 */
export async function storedDossier(
  { path, digest, repository }: AskedDossier,
  context: CliContext,
): Promise<Dossier> {
  const dossiers = await storedDossiers(path, context);
  const ofDigest = dossiers.filter(({ root }) => digest === null || root === digest);
  const ofSource = ofDigest.filter(({ source }) => source === repository);
  const found = ofDigest.length === 1 ? ofDigest : ofSource;
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const about = digest === null ? '' : ` about ${digest}`;
  throw new TrustFault(
    'dossier.malformed',
    `expected the evidence of one image${about} in ${quote(path)}, found ${ofDigest.length} of ${dossiers.length}`,
    'Name the digest of the image whose evidence is meant.',
  );
}

/** All stored evidence of a file. Throws `usage.file`, `dossier.malformed`. */
export async function storedDossiers(
  path: string,
  { signal }: CliContext,
): Promise<readonly Dossier[]> {
  return linesOf(await readFileBounded(path, DOSSIER_LIMIT, signal)).map(readDossier);
}

const NEWLINE = 0x0a;

function linesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found === -1 ? bytes.length : found;
    if (end > start) lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** Writes the evidence of decisions, a line for each. Throws `usage.file`, `dossier.malformed`. */
export async function saveDossiers(path: string, dossiers: readonly Dossier[]): Promise<void> {
  const lines = dossiers.flatMap((dossier) => [writeDossier(dossier), Uint8Array.of(NEWLINE)]);
  await writeOutput(path, Buffer.concat(lines));
}
