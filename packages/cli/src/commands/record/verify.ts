import { createReadStream } from 'node:fs';
import type { VerifyReport } from '@bulla/server/record/verify';
import { asCount, asString, member } from '@bulla/trust/bytes/shape';
import type { PublicKey } from '@bulla/trust/crypto/public-key';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { positiveCount } from '../../options/count.ts';
import { readFileBounded } from '../../options/files.ts';
import { outputOption } from '../../options/output.ts';
import { collect } from '../../options/repeatable.ts';
import type { Api } from '../../server/api.ts';
import { answer } from '../../server/parse.ts';
import { addPlaceOptions, openPlace, type PlaceFlags } from '../../server/place.ts';
import { printReport } from '../../server/record-report.ts';

interface VerifyFlags extends PlaceFlags {
  readonly key: readonly string[];
  readonly head?: string;
  readonly name?: string;
  readonly partial?: true;
  readonly first?: number;
  readonly last?: number;
  readonly output: 'text' | 'json';
}

const HEAD_MOST_BYTES = 64 << 10;
/** A server reads and hashes its whole record for this. */
const VERIFY_MS = 15 * 60_000;

/** `bulla record verify [FILE]`: whether the record is whole and as it was written. */
export function configureVerify(record: Command, context: CliContext): void {
  const command = record
    .command('verify')
    .description('check every hash, number and signed head: of an export, a data folder, a server')
    .argument('[file]', 'an export as JSON Lines; - is standard input')
    .addOption(
      record
        .createOption('--key <ref>', 'public key of the record (repeatable); an export needs it')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--head <file>', 'a head that was kept: the record must still lead to it')
    .option('--name <origin>', 'the name that the record must have, such as bulla.example/record')
    .option('--partial', 'accept a filtered export, whose entries are checked one by one')
    .option('--first <number>', 'from this entry on, without an export', positiveCount('--first'))
    .option('--last <number>', 'up to this entry, without an export', positiveCount('--last'))
    .addOption(outputOption(record));
  addPlaceOptions(command).action(async (file: string | undefined, flags: VerifyFlags) => {
    checkUse(file, flags);
    const report =
      file === undefined
        ? await verifyPlace(flags, context)
        : await verifyLines(fileChunks(file, context), flags, context);
    await printReport(report, flags.output, context);
  });
}

function checkUse(file: string | undefined, flags: VerifyFlags): void {
  const { server, data, config, key, partial, name, first, last } = flags;
  const invalid = (says: string, remedy?: string) => new TrustFault('usage.invalid', says, remedy);
  const hasPlace = [server, data, config].some((one) => one !== undefined);
  if (file !== undefined && hasPlace) {
    throw invalid('an export and --server, --data or --config are two records');
  }
  if (file !== undefined && key.length === 0) {
    const remedy = 'Give --key FILE; `bulla record key` prints it where the record is.';
    throw invalid('nothing says whose record the export is', remedy);
  }
  const isExport = file !== undefined || key.length > 0;
  if (!isExport && (partial === true || name !== undefined)) {
    throw invalid('--partial and --name are for exports', 'Name an export, or give --key.');
  }
  if (isExport && (first !== undefined || last !== undefined)) {
    throw invalid('--first and --last are for a whole record, and an export is checked whole');
  }
}

/** With a key nothing but the entries is taken from the place; without, it checks itself. */
async function verifyPlace(flags: VerifyFlags, context: CliContext): Promise<VerifyReport> {
  await using api = await openPlace(flags, context);
  if (flags.key.length === 0) return await askPlace(api, flags, context);
  const chunks = api.chunks({
    method: 'GET',
    path: ['record', 'export'],
    query: { format: 'jsonl' },
  });
  return await verifyLines(chunks, flags, context);
}

async function askPlace(
  api: Api,
  { first, last, head }: VerifyFlags,
  context: CliContext,
): Promise<VerifyReport> {
  const document = await api.json({
    method: 'GET',
    path: ['record', 'verify'],
    query: {
      ...(first === undefined ? {} : { from: String(first) }),
      ...(last === undefined ? {} : { to: String(last) }),
      ...(head === undefined ? {} : { head: await noteOf(head, context) }),
    },
    timeoutMs: VERIFY_MS,
  });
  const { findingOf, parseFinding } = await import('@bulla/server/record/parse');
  const at = answer(document);
  const end = member(at, 'end');
  return {
    finding: findingOf(parseFinding(member(at, 'finding'))),
    entries: asCount(member(at, 'entries')),
    end:
      end.value === null
        ? null
        : { seq: asCount(member(end, 'seq')), hash: asString(member(end, 'hash')) },
  };
}

async function verifyLines(
  chunks: AsyncIterable<Uint8Array>,
  { key, head, name, partial }: VerifyFlags,
  context: CliContext,
): Promise<VerifyReport> {
  const [{ verifyExport }, { linesOfChunks }] = await Promise.all([
    import('@bulla/server/record/verify-export'),
    import('@bulla/server/record/lines'),
  ]);
  return verifyExport(linesOfChunks(chunks), {
    keys: await keysOf(key, context),
    origin: name ?? null,
    ...(head === undefined ? {} : { head: await noteOf(head, context) }),
    partial: partial === true,
    at: context.clock(),
    headAgeMs: null,
  });
}

async function keysOf(
  references: readonly string[],
  { env }: CliContext,
): Promise<readonly PublicKey[]> {
  const [{ openPublicKey }, { keyFileIo }, { parseKeyReference }] = await Promise.all([
    import('@bulla/trust/keys/file/open'),
    import('@bulla/trust/keys/file/disk'),
    import('@bulla/trust/keys/file/reference'),
  ]);
  const io = keyFileIo(env);
  return Promise.all(references.map((text) => openPublicKey(parseKeyReference(text), io)));
}

async function noteOf(file: string, { signal }: CliContext): Promise<string> {
  return Buffer.from(await readFileBounded(file, HEAD_MOST_BYTES, signal)).toString('utf8');
}

async function* fileChunks(file: string, { signal }: CliContext): AsyncGenerator<Uint8Array> {
  const stream = file === '-' ? process.stdin : createReadStream(file, { signal });
  try {
    for await (const chunk of stream) {
      const bytes: unknown = chunk;
      if (bytes instanceof Uint8Array) yield bytes;
    }
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unexpected';
    throw new TrustFault('usage.file', `cannot read ${quote(file)}: ${reason}`, undefined, {
      cause,
    });
  }
}
