import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './call.ts';
import { ownerToken, startHouse } from './house.ts';
import { emptyFolder, type Run } from './run.ts';

/** A receiver on loopback that answers as it is told. */
async function openReceiver() {
  const receiver = { status: 400, bodies: [] as string[] };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += chunk;
    receiver.bodies.push(body);
    response.writeHead(receiver.status).end();
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}/secret-path`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function until(ask: () => Promise<Run>, what: RegExp): Promise<Run> {
  for (let turn = 0; turn < 200; turn++) {
    const run = await ask();
    if (what.test(run.out)) return run;
    await sleep(50);
  }
  assert.fail(`never came: ${what}`);
}

test('a server sends its record, and its dead letters are listed, sent again and dropped', async () => {
  await using receiver = await openReceiver();
  await using folder = await emptyFolder();
  const config = join(folder.path, 'bulla.yaml');
  await writeFile(
    config,
    `data: data
listen: [{ url: "http://127.0.0.1:0" }]
streams:
  - { name: siem, url: "${receiver.url}", privateAddresses: true, batch: 1 }
`,
  );
  await using house = await startHouse(['serve', '--config', config]);
  const env = {
    BULLA_SERVER: house.ready.addresses[0] ?? '',
    BULLA_TOKEN: await ownerToken(house),
  };
  const ask = (...args: string[]) => call(['record', ...args], env);
  // To drop letters is itself an act of the record, which the receiver does not take.
  const none = await ask('dead-letters', 'drop', 'siem', '--all');
  assert.deepEqual([none.code, none.out], [0, '0 were dropped\n']);
  const listed = await until(() => ask('dead-letters', 'list', 'siem'), /answered 400/);
  for (const line of listed.out.split('\n')) assert.ok(line.length <= 100, line);
  const streams = await ask('streams');
  assert.match(streams.out, /^STREAM +FORMAT +LAG +DEAD/);
  assert.match(streams.out, /^siem +json +0 +1/m);
  assert.doesNotMatch((await ask('streams', '-o', 'json')).out, /secret-path/);

  receiver.status = 200;
  const id = /(\d+-[0-9a-f]{8})/.exec(listed.out)?.[1] ?? '';
  const retried = await ask('dead-letters', 'retry', 'siem', id);
  assert.equal(retried.out, '1 are sent once more\n', retried.err);
  await until(() => ask('streams', '-o', 'json'), /"deadLetters": 0/);
  const sent = receiver.bodies.map((body) => JSON.parse(body));
  assert.ok(sent.filter(({ id: one }) => one.startsWith(id)).length >= 2);
  assert.equal(sent[0].entry.act, 'stream.dead-letters-dropped');
});

const WRONG: readonly (readonly [readonly string[], number, string])[] = [
  [['streams'], 2, 'usage.invalid'],
  [['dead-letters', 'list', 'siem'], 2, 'usage.invalid'],
  [['dead-letters', 'retry', 'siem', '--server', 'http://127.0.0.1:1'], 2, 'usage.invalid'],
  [
    ['dead-letters', 'drop', 'siem', 'x', '--all', '--server', 'http://127.0.0.1:1'],
    2,
    'usage.invalid',
  ],
];

test('wrong use of the commands about streams', async (t) => {
  for (const [args, exit, code] of WRONG) {
    await t.test(args.join(' '), async () => {
      const { code: found, err } = await call(['record', ...args], { BULLA_TOKEN: 'bulla_x' });
      assert.equal(found, exit);
      assert.match(err, new RegExp(`\\[${code}\\]`));
    });
  }
});
