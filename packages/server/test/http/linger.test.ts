import assert from 'node:assert/strict';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { lingering } from '../../src/http/linger.ts';

const BODY = Buffer.from('no');
const LONG = { ms: 60_000, bytes: 1 << 30 };

/** A sender that never ends, with as many bytes as are asked for. */
function endless(): PassThrough {
  const stream = new PassThrough();
  stream.on('error', () => undefined);
  return stream;
}

test('the answer is there at once, and ends after the rest of the request', async () => {
  const request = endless();
  const answer = lingering(request, BODY, LONG);
  const { value } = await answer[Symbol.asyncIterator]().next();
  assert.equal(String(value), 'no');
  request.write(Buffer.alloc(1 << 20));
  request.end();
  for await (const more of answer) assert.fail(String(more));
});

const ENDS: readonly {
  readonly name: string;
  readonly bounds: typeof LONG;
  readonly happens: (request: PassThrough) => void;
}[] = [
  { name: 'the time is up', bounds: { ...LONG, ms: 1 }, happens: () => undefined },
  {
    name: 'enough was thrown away',
    bounds: { ...LONG, bytes: 10 },
    happens: (request) => void request.write('0123456789'),
  },
  { name: 'the sender breaks off', bounds: LONG, happens: (request) => void request.destroy() },
  {
    name: 'the connection fails',
    bounds: LONG,
    happens: (request) => void request.destroy(new Error('reset')),
  },
];

for (const { name, bounds, happens } of ENDS) {
  test(`the answer ends when ${name}`, async () => {
    const request = endless();
    const answer: Readable = lingering(request, BODY, bounds);
    setImmediate(() => happens(request));
    assert.equal(await text(answer), 'no');
  });
}

test('the answer ends at once when the request was read, or is gone', async () => {
  const read = endless();
  read.end();
  await text(read);
  const gone = endless();
  gone.destroy();
  for (const request of [read, gone])
    assert.equal(await text(lingering(request, BODY, LONG)), 'no');
});
