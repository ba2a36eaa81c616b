import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import type { PublicKey } from '@bulla/trust/crypto/public-key';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import { allOf } from '@bulla/trust/finding/combine';
import { type Finding, failed, failedBy, passed, skipped } from '@bulla/trust/finding/finding';
import type { ChainEnd } from './chain.ts';
import { EXPORT_FORMAT } from './export.ts';
import {
  anyAge,
  freshness,
  keptFinding,
  RECORD_SOURCE,
  reportOf,
  type Start,
  startAt,
} from './judge.ts';
import { parseBody, parseLine } from './parse.ts';
import { type Head, openHeadNote, type RecordKeys } from './signed-head.ts';
import type { VerifyReport } from './verify.ts';
import { createProblems, createWalk, type Link, type Problems, type Walk } from './walk.ts';

/** What an export is verified against. */
export interface ExportAsk {
  /** The record's public keys; they do not come with the export. */
  readonly keys: readonly PublicKey[];
  /** `<host>/record`; null takes the name that the export gives, which the keys then vouch for. */
  readonly origin: string | null;
  /** A signed head that an auditor kept. */
  readonly head?: string;
  /** Accept a filtered export, of which only single entries can be checked. */
  readonly partial?: boolean;
  /** The present, and the oldest that the export's head may be then; null: any age. */
  readonly at: Date;
  readonly headAgeMs: number | null;
}

/**
 * Whether an export (its lines without line breaks) is whole and as the record had it, without any
 * database: every line's form, every entry's hash and place, the signed anchor and head. Never
 * throws for what the lines hold.
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  ask: ExportAsk,
): Promise<VerifyReport> {
  const form = createProblems();
  const chain = createProblems();
  const read = await readLines(lines, ask, { form, chain });
  if (read === null) {
    return { finding: reportOf('record', form, ''), entries: 0, end: null };
  }
  const { header, walk, start, end, kept } = read;
  const children = [
    reportOf('record.form', form, `${walk.count} entries in the form of ${EXPORT_FORMAT}`),
    start.finding,
    reportOf('record.chain', chain, `${walk.count} entries follow one another`),
    partFinding(header.filtered, ask.partial ?? false),
    ...endFindings(read, ask),
    kept(end),
  ];
  const says = `${walk.count} entries of ${header.record.origin}`;
  return {
    finding: allOf('record', children, says, { source: RECORD_SOURCE }),
    entries: walk.count,
    end: walk.end,
  };
}

interface Header {
  readonly filtered: boolean;
  readonly record: RecordKeys;
}

interface Read {
  readonly header: Header;
  readonly walk: Walk;
  readonly start: Start;
  /** The head in the last line, or what is wrong with it; null when there is none. */
  readonly end: Head | TrustFault | null;
  readonly kept: (end: Head | TrustFault | null) => Finding;
}

interface Lists {
  readonly form: Problems;
  readonly chain: Problems;
}

const LINE_LONGEST = 4 << 20;

async function readLines(
  lines: AsyncIterable<string> | Iterable<string>,
  ask: ExportAsk,
  { form, chain }: Lists,
): Promise<Read | null> {
  let header: Header | null = null;
  let start: Start | null = null;
  let walk: Walk | null = null;
  let end: Head | TrustFault | null = null;
  let keeper: Keeper | null = null;
  let number = 0;
  for await (const text of lines) {
    number += 1;
    try {
      if (header === null) {
        header = readHeader(text, ask);
        keeper = await keeperOf(ask, header.record);
        continue;
      }
      const line = readLine(text, number);
      if (end !== null) throw misplaced('the signed head is not the last line');
      if ('anchor' in line) {
        if (start !== null) throw misplaced('an anchor is not the second line');
        start = await startAt(line.anchor, header.record);
        continue;
      }
      start ??= await startAt(null, header.record);
      walk ??= createWalk(header.filtered ? null : start.end, chain, { gaps: header.filtered });
      if ('head' in line) {
        end = await openHeadNote(line.head, header.record).catch(asFault);
      } else {
        walk.step(line);
        keeper?.see(line);
      }
    } catch (error) {
      const { code, message } = asFault(error);
      form.add({ code, says: `line ${number}: ${message}`, seq: walk?.end?.seq ?? 0 });
      // Without a header nothing that follows can be read.
      if (header === null) return null;
    }
  }
  if (header === null) {
    form.add({ code: 'record.entry-malformed', says: 'the export is empty', seq: 0 });
    return null;
  }
  const first = start ?? (await startAt(null, header.record));
  return {
    header,
    start: first,
    walk: walk ?? createWalk(first.end, chain),
    end,
    kept: () => keeper?.finding(first.end) ?? skipped('record.kept', 'no kept head was given'),
  };
}

function misplaced(says: string): TrustFault {
  return new TrustFault('record.order', says);
}

function readHeader(text: string, { origin, keys }: ExportAsk): Header {
  const line = parseLine(text, 'the first line');
  const [filtered, format, named] = ['filtered', 'format', 'origin'].map((name) => line.get(name));
  const isForm = typeof filtered === 'boolean' && typeof named === 'string';
  if (
    !isForm ||
    format !== EXPORT_FORMAT ||
    canonicalizeJcs({ filtered, format, origin: named }) !== text
  ) {
    throw malformed(`expected the first line of ${EXPORT_FORMAT}, found ${quote(text)}`);
  }
  if (origin !== null && origin !== named) {
    const says = `expected the record ${quote(origin)}, found ${quote(named)}`;
    throw new TrustFault('record.head-invalid', says);
  }
  return { filtered, record: { origin: named, keys } };
}

type Line = Link | { readonly anchor: string } | { readonly head: string };

const ENTRY =
  /^\{"body":(\{[^\n]*\}),"hash":"([0-9a-f]{64})","previous":"([0-9a-f]{64})","seq":([1-9]\d{0,15})\}$/u;

/** A line after the first. Its bytes are taken as they are: an entry's body is what was hashed. */
function readLine(text: string, number: number): Line {
  if (text.length > LINE_LONGEST) throw malformed(`more than ${LINE_LONGEST} characters`);
  const [, body, hash, previous, seq] = ENTRY.exec(text) ?? [];
  const isEntry =
    body !== undefined && hash !== undefined && previous !== undefined && seq !== undefined;
  if (isEntry) {
    parseBody(body, `line ${number}`);
    return { body, hash, previous, seq: Number(seq) };
  }
  const line = parseLine(text, `line ${number}`);
  const [anchor, head] = [line.get('anchor'), line.get('head')];
  if (typeof anchor === 'string' && canonicalizeJcs({ anchor }) === text) return { anchor };
  if (typeof head === 'string' && canonicalizeJcs({ head }) === text) return { head };
  throw malformed(`expected an entry, an anchor or a head, found ${quote(text)}`);
}

function malformed(says: string): TrustFault {
  return new TrustFault('record.entry-malformed', says);
}

function partFinding(filtered: boolean, partial: boolean): Finding {
  if (!filtered) return passed('record.whole', 'the export is of the whole record');
  const says = 'the export was filtered: what is missing cannot be told';
  return partial
    ? skipped('record.whole', says)
    : failed('record.whole', 'record.export-partial', says);
}

function endFindings({ end, walk, header }: Read, ask: ExportAsk): readonly Finding[] {
  if (end === null) {
    return [failed('record.end', 'record.head-missing', 'the last line is no signed head')];
  }
  if (end instanceof TrustFault) return [failedBy('record.end', end)];
  const fresh = ask.headAgeMs === null ? anyAge(end) : freshness(end, ask.at, ask.headAgeMs);
  return [header.filtered ? partEnd(end) : wholeEnd(end, walk.end), fresh];
}

function partEnd(end: Head): Finding {
  return skipped('record.end', `the head is of entry ${end.seq}, to which a part need not lead`);
}

function wholeEnd(head: Head, end: ChainEnd | null): Finding {
  if (end?.seq === head.seq && end.hash === head.hash) {
    return passed('record.end', `the entries lead to the head of entry ${head.seq}`);
  }
  const found = end === null ? 'none' : `entry ${end.seq}, ${end.hash}`;
  const says = `expected the end at entry ${head.seq}, ${head.hash}, as signed, found ${found}`;
  const isShort = (end?.seq ?? 0) < head.seq;
  return failed('record.end', isShort ? 'record.truncated' : 'record.head-mismatch', says);
}

/** Looks for the entry that a kept head is about. */
interface Keeper {
  see(link: Link): void;
  finding(start: ChainEnd): Finding;
}

async function keeperOf(ask: ExportAsk, record: RecordKeys): Promise<Keeper | null> {
  if (ask.head === undefined) return null;
  const opened = await openHeadNote(ask.head, record).catch(asFault);
  if (opened instanceof TrustFault) {
    return { see() {}, finding: () => failedBy('record.kept', opened) };
  }
  let there: string | null = null;
  return {
    see({ seq, hash }) {
      if (seq === opened.seq) there = hash;
    },
    finding: (start) => keptFinding(opened, start, there),
  };
}
