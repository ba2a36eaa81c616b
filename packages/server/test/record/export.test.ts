import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import fc from 'fast-check';
import { EXPORT_FORMAT } from '../../src/record/export.ts';
import { linesOfChunks } from '../../src/record/lines.ts';
import { signHeadNote } from '../../src/record/signed-head.ts';
import { type ExportAsk, verifyExport } from '../../src/record/verify-export.ts';
import {
  again,
  BEGIN,
  digestNumber,
  HOST,
  linesOf,
  made,
  openRoom,
  type RoomUnderTest,
  recordSigner,
  refused,
  textOf,
} from './room.ts';

const signer = await recordSigner();
const ASK: ExportAsk = {
  keys: [signer.publicKey],
  origin: `${HOST}/record`,
  at: new Date(BEGIN),
  headAgeMs: 60_000,
};

async function fill(room: RoomUnderTest): Promise<void> {
  const first = made();
  await room.record.keep(first);
  await room.record.keep(refused({ tag: 'v2' }));
  await room.record.keep(again(first));
  await room.record.flush();
  await room.record.keep(made({ tag: 'v3' }));
}

async function exported(): Promise<readonly string[]> {
  await using room = await openRoom();
  await fill(room);
  return await linesOf(room.record.exportJsonLines({}));
}

const LINES = await exported();

test('a whole export is verified without a database', async () => {
  assert.equal(LINES.length, 6);
  assert.deepEqual(JSON.parse(LINES[0] ?? ''), {
    filtered: false,
    format: EXPORT_FORMAT,
    origin: `${HOST}/record`,
  });
  const entry = JSON.parse(LINES[2] ?? '') as { body: { outcome: string }; seq: number };
  assert.deepEqual([entry.seq, entry.body.outcome], [2, 'deny']);
  const { finding, entries, end } = await verifyExport(LINES, ASK);
  assert.equal(finding.outcome, 'pass', JSON.stringify(finding));
  assert.deepEqual([entries, end?.seq], [4, 4]);
});

test('the name of the record may come from the export, which the key then vouches for', async () => {
  assert.equal((await verifyExport(LINES, { ...ASK, origin: null })).finding.outcome, 'pass');
  const renamed = LINES.map((line) => line.replace(HOST, 'other.example'));
  const { finding } = await verifyExport(renamed, { ...ASK, origin: null });
  assert.equal(finding.code, 'record.head-invalid');
});

type Change = (lines: string[]) => readonly string[];

const replaced = (index: number, change: (line: string) => string): Change => {
  return (lines) => lines.map((line, at) => (at === index ? change(line) : line));
};

/** What somebody who hands on an export may try, and what it is found by. */
const CHANGES: readonly {
  readonly name: string;
  readonly change: Change;
  readonly code: Code;
  readonly ask?: Partial<ExportAsk>;
}[] = [
  { name: 'nothing at all', change: () => [], code: 'record.entry-malformed' },
  { name: 'only the first line', change: ([first = '']) => [first], code: 'record.head-missing' },
  { name: 'no first line', change: (lines) => lines.slice(1), code: 'record.entry-malformed' },
  {
    name: 'another format',
    change: replaced(0, (line) => line.replace('v1', 'v2')),
    code: 'record.entry-malformed',
  },
  {
    name: 'a first line that says that it is a part',
    change: replaced(0, (line) => line.replace('false', 'true')),
    code: 'record.export-partial',
  },
  {
    name: 'a changed body',
    change: replaced(2, (line) => line.replace('alice', 'mallory')),
    code: 'record.chain-broken',
  },
  {
    name: 'a changed number',
    change: replaced(2, (line) => line.replace('"seq":2', '"seq":3')),
    code: 'record.gap',
  },
  {
    name: 'a member added to a line',
    change: replaced(2, (line) => line.replace('{"body"', '{"a":1,"body"')),
    code: 'record.entry-malformed',
  },
  {
    name: 'white space in a line',
    change: replaced(2, (line) => line.replace(':', ': ')),
    code: 'record.entry-malformed',
  },
  {
    name: 'an empty line',
    change: (lines) => lines.toSpliced(2, 0, ''),
    code: 'record.entry-malformed',
  },
  { name: 'a missing entry', change: (lines) => lines.toSpliced(2, 1), code: 'record.gap' },
  {
    name: 'an entry twice',
    change: (lines) => lines.toSpliced(2, 0, lines[2] ?? ''),
    code: 'record.order',
  },
  {
    name: 'two entries exchanged',
    change: (lines) => lines.with(2, lines[3] ?? '').with(3, lines[2] ?? ''),
    code: 'record.gap',
  },
  {
    name: 'the last entry removed',
    change: (lines) => lines.toSpliced(4, 1),
    code: 'record.truncated',
  },
  {
    name: 'an entry after the head',
    change: (lines) => [...lines, lines[4] ?? ''],
    code: 'record.order',
  },
  { name: 'no head', change: (lines) => lines.slice(0, -1), code: 'record.head-missing' },
  {
    name: 'a head with another signature',
    change: replaced(5, (line) => line.replace(/.{8}\\n"\}$/, 'AAAAAA==\\n"}')),
    code: 'record.head-invalid',
  },
  { name: 'another key', change: (lines) => lines, ask: { keys: [] }, code: 'record.head-invalid' },
  {
    name: 'an old export',
    change: (lines) => lines,
    ask: { at: new Date(BEGIN + 3600_000) },
    code: 'record.head-stale',
  },
  {
    name: 'another record',
    change: (lines) => lines,
    ask: { origin: 'other.example/record' },
    code: 'record.head-invalid',
  },
  {
    name: 'a kept head that is none',
    change: (lines) => lines,
    ask: { head: 'none' },
    code: 'record.head-invalid',
  },
];

for (const { name, change, code, ask } of CHANGES) {
  test(`an export with ${name} is refused: ${code}`, async () => {
    const { finding } = await verifyExport(change([...LINES]), { ...ASK, ...ask });
    assert.equal(finding.outcome, 'fail');
    assert.equal(finding.code, code);
  });
}

test('any change of an exported chain is found', async () => {
  const mutation = fc.oneof(
    fc.record({
      kind: fc.constant('character' as const),
      line: fc.nat(LINES.length - 1),
      at: fc.nat(20_000),
      to: fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }),
    }),
    fc.record({
      kind: fc.constant('cut' as const),
      line: fc.nat(LINES.length - 1),
      at: fc.nat(20_000),
    }),
    fc.record({ kind: fc.constant('drop' as const), line: fc.nat(LINES.length - 1) }),
    fc.record({
      kind: fc.constant('exchange' as const),
      line: fc.nat(LINES.length - 1),
      with: fc.nat(LINES.length - 1),
    }),
    fc.record({
      kind: fc.constant('copy' as const),
      line: fc.nat(LINES.length - 1),
      with: fc.nat(LINES.length),
    }),
  );
  const apply = (change: ReturnType<typeof mutation.generate>['value']): readonly string[] => {
    const line = LINES[change.line] ?? '';
    switch (change.kind) {
      case 'character': {
        const at = change.at % line.length;
        return LINES.with(change.line, line.slice(0, at) + change.to + line.slice(at + 1));
      }
      case 'cut':
        return LINES.with(change.line, line.slice(0, change.at % line.length));
      case 'drop':
        return LINES.toSpliced(change.line, 1);
      case 'exchange':
        return LINES.with(change.line, LINES[change.with] ?? '').with(change.with, line);
      case 'copy':
        return LINES.toSpliced(change.with, 0, line);
      default:
        return change satisfies never;
    }
  };
  await fc.assert(
    fc.asyncProperty(mutation, async (change) => {
      const lines = apply(change);
      fc.pre(lines.join('\n') !== LINES.join('\n'));
      const { finding } = await verifyExport(lines, ASK);
      assert.equal(finding.outcome, 'fail', JSON.stringify(change));
    }),
    { numRuns: 600 },
  );
});

test('no line throws anything: what cannot be read is a failed finding', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...LINES))),
      async (lines) => {
        const { finding } = await verifyExport(lines, ASK);
        assert.equal(finding.outcome, lines.join('\n') === LINES.join('\n') ? 'pass' : 'fail');
      },
    ),
    { numRuns: 200 },
  );
});

test('a kept head is compared with the entry at its place', async () => {
  await using room = await openRoom();
  await room.record.keep(made());
  const { note } = await room.record.head();
  await fill(room);
  const lines = await linesOf(room.record.exportJsonLines({}));
  assert.equal((await verifyExport(lines, { ...ASK, head: note })).finding.outcome, 'pass');
  const forged = await signHeadNote(signer, `${HOST}/record`, {
    seq: 1,
    hash: digestNumber(7).slice(7),
    at: new Date(BEGIN),
  });
  const other = await verifyExport(lines, { ...ASK, head: forged });
  assert.equal(other.finding.code, 'record.head-mismatch');
  const later = await signHeadNote(signer, `${HOST}/record`, {
    seq: 100,
    hash: digestNumber(7).slice(7),
    at: new Date(BEGIN),
  });
  const short = await verifyExport(lines, { ...ASK, head: later });
  assert.equal(short.finding.code, 'record.truncated');
});

test('a filtered export is checked entry by entry, and says that it is a part', async () => {
  await using room = await openRoom();
  await fill(room);
  const lines = await linesOf(room.record.exportJsonLines({ outcome: 'admit' }));
  assert.equal(lines.length, 4);
  assert.equal((await verifyExport(lines, ASK)).finding.code, 'record.export-partial');
  const partial = await verifyExport(lines, { ...ASK, partial: true });
  assert.equal(partial.finding.outcome, 'pass');
  const skipped = partial.finding.because?.filter(({ outcome }) => outcome === 'skipped');
  assert.deepEqual(
    skipped?.map(({ check }) => check),
    ['record.whole', 'record.end', 'record.kept'],
  );
  const altered = lines.map((line) => line.replace('alice', 'mallory'));
  const { finding } = await verifyExport(altered, { ...ASK, partial: true });
  assert.equal(finding.code, 'record.chain-broken');
});

test('lines are cut at line feeds only, wherever the chunks end', async () => {
  const text = 'a\u2028b\nc\rd\r\n\nlast';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    const lines: string[] = [];
    for await (const line of linesOfChunks(chunks)) lines.push(line);
    assert.deepEqual(lines, ['a\u2028b', 'c\rd\r', '', 'last']);
  }
});

const HOSTILE = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\uff1d1', '"=1"', 'a,"b"\n=1'];

test('no cell of the CSV begins a formula, whatever an image or a client is called', async () => {
  await using room = await openRoom();
  for (const text of HOSTILE) {
    const hostile = made(
      { tag: text, reference: text, warnings: [text] },
      {
        request: { id: text, remoteAddress: text, userAgent: text },
        actor: { kind: 'user', id: text, name: text },
      },
    );
    await room.record.keep(hostile);
  }
  const csv = await textOf(room.record.exportCsv({}));
  const rows = csv.split('\r\n').slice(0, -1);
  assert.equal(rows.length, HOSTILE.length + 1);
  assert.equal(rows[0]?.split(',')[0], 'seq');
  for (const row of rows) {
    for (const cell of cellsOf(row))
      assert.doesNotMatch(cell, /^[=+@\t\r\uff1d\uff0b\uff0d\uff20-]/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
    assert.doesNotMatch(row, /[\u0000-\u001f]/);
  }
});

/** The cells of one line of CSV without line breaks in them. */
function cellsOf(row: string): readonly string[] {
  return [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

test('the CSV names the exceptions that a decision stood on, with what they lifted', async () => {
  await using room = await openRoom();
  const used = {
    id: `sha256:${'1'.repeat(64)}`,
    name: 'late-release',
    kind: 'exception',
    requester: 'dev@acme.example',
    approver: 'sec@acme.example',
    reason: 'the signer is down',
    expires: new Date(BEGIN),
    policy: 'prod',
    clauses: ['require.all[1]', 'tags'],
  } as const;
  await room.record.keep(made({ exceptions: [used] }));
  await room.record.keep(made());
  const text = await textOf(room.record.exportCsv({}));
  const [names = [], ...rows] = text.split('\r\n').slice(0, -1).map(cellsOf);
  assert.deepEqual(
    rows.map((row) => row[names.indexOf('exceptions')]),
    [`exception late-release (${used.id}): prod require.all[1], tags`, ''],
  );
});

test('the CSV counts uses and takes the filter', async () => {
  await using room = await openRoom();
  await fill(room);
  const text = await textOf(room.record.exportCsv({ outcome: 'admit' }));
  const [names = [], ...rows] = text.split('\r\n').slice(0, -1).map(cellsOf);
  assert.equal(rows.length, 2);
  assert.deepEqual(
    rows.map((row) => row[names.indexOf('count')]),
    ['2', '1'],
  );
});

test('exports of many entries go out in parts', async () => {
  await using room = await openRoom({ config: { groupEntries: 2000 } });
  await Promise.all(Array.from({ length: 1300 }, () => room.record.keep(made())));
  let parts = 0;
  let longest = 0;
  for await (const part of room.record.exportJsonLines({})) {
    parts += 1;
    longest = Math.max(longest, part.split('\n').length);
  }
  assert.ok(parts >= 5 && longest <= 501, `${parts} parts of up to ${longest} lines`);
  const lines = linesOfChunks(room.record.exportJsonLines({}));
  const { finding, entries } = await verifyExport(lines, ASK);
  assert.deepEqual([finding.outcome, entries], ['pass', 1300]);
});
