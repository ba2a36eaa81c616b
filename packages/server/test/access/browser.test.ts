import assert from 'node:assert/strict';
import { it } from 'node:test';
import { chromium } from 'playwright-core';
import { requirePeer } from '../../../../test/peers.ts';
import { createAuthenticate } from '../../src/access/authenticate.ts';
import { SESSION_COOKIE } from '../../src/access/cookie.ts';
import { accessRoutes } from '../../src/access/routes.ts';
import { apiDoor } from '../../src/http/api/door.ts';
import type { Door } from '../../src/http/exchange.ts';
import { createLog } from '../../src/http/log.ts';
import { listen } from '../../src/http/server.ts';
import { addUser, PASSWORD, setUp } from './setting.ts';

const PAGE: Door = {
  prefix: '/',
  handle: async () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: 'console' }),
  refuse: () => ({ status: 500 }),
};

it('Chromium keeps the session on plain HTTP of the loopback, and hides it from scripts', async (context) => {
  const executablePath = requirePeer(context, 'chromium');
  if (executablePath === null) return;
  await using setting = await setUp();
  await addUser(setting, 'mia', 'member');
  const api = apiDoor(
    accessRoutes(setting.access, () => new Date()),
    {
      authenticate: createAuthenticate(setting.access),
      log: createLog('silent'),
      info: { title: 'Bulla', version: '0' },
    },
  );
  await using server = await listen([PAGE, api]);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    for (const host of ['127.0.0.1', 'localhost']) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const own = `http://${host}:${server.port}`;
      const session = `${own}/api/bulla/v1/session`;
      await page.goto(`${own}/`);
      const status = await page.evaluate(
        async ([url, body]) => {
          const headers = { 'content-type': 'application/json' };
          return (await fetch(url ?? '', { method: 'POST', headers, body: body ?? '' })).status;
        },
        [session, JSON.stringify({ name: 'mia', password: PASSWORD })],
      );
      assert.equal(status, 200);
      const seen = await page.evaluate(async (url) => (await fetch(url)).text(), session);
      assert.equal(JSON.parse(seen).name, 'mia');
      assert.equal(await page.evaluate('document.cookie'), '');
      const [cookie] = await page.context().cookies();
      assert.equal(cookie?.name, SESSION_COOKIE);
      assert.equal(cookie?.sameSite, 'Strict');
      await context.close();
    }
  } finally {
    await browser.close();
  }
});
