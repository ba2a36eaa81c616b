// What was decided and why: filters that stand in the address, the live list, the tree and its keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, SIGHTS, signIn, visit } from './browser.ts';
import { type House, OWNER, openHouse } from './house.ts';

const REFUSED = 'registry.example/prod/shop/catalogue:v2';

let browser: Browser | null = null;
let house: House;

before(async () => {
  house = await openHouse();
});

after(async () => {
  await browser?.close();
  await house[Symbol.asyncDispose]();
});

const outcomes = (page: Page) => page.locator('.data tbody .mark').allTextContents();

test('filters stand in the address, and the address brings them back', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.getByRole('link', { name: 'Decisions', exact: true }).click();
  await page.getByText('Filters').click();
  await page.getByLabel('Outcome').selectOption('deny');
  await page.waitForURL('**/decisions?outcome=deny');
  await page.getByLabel('Repository').fill('registry.example/prod/shop/catalogue');
  await page.getByLabel('Repository').press('Enter');
  await page.waitForURL('**?outcome=deny&repository=registry.example/prod/shop/catalogue');
  await page.getByText('2 active').waitFor();
  assert.deepEqual(await outcomes(page), ['denied']);

  await page.reload();
  await page.getByText(REFUSED).waitFor();
  assert.equal(await page.getByLabel('Outcome').inputValue(), 'deny');
  assert.deepEqual(await outcomes(page), ['denied']);

  await page.goBack();
  await page.waitForURL('**/decisions?outcome=deny');
  await page.getByText('checkout:v1.5.0-rc1').waitFor();
  assert.equal(await page.getByLabel('Repository').inputValue(), '');

  await page.goto('/decisions?outcome=perhaps&time=always&before=x');
  await page.getByText(REFUSED).waitFor();
  await page.getByText('none', { exact: true }).waitFor();
  visitor.expectQuiet();
});

test('each filter finds what it should', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  const cases = [
    { search: 'effect=audit', finds: 'registry.example/tools/backup:nightly' },
    { search: 'policy=production&outcome=deny', finds: REFUSED },
    { search: 'actor=token+first+push+of+ann&outcome=deny', finds: REFUSED },
    { search: 'code=signature.none&time=1h', finds: REFUSED },
    { search: 'repository=registry.example/prod/**&outcome=deny', finds: REFUSED },
  ];
  for (const { search, finds } of cases) {
    await t.test(search, async () => {
      await page.goto(`/decisions?${search}`);
      await page.getByText(finds).waitFor();
    });
  }
  await t.test('and nothing elsewhere', async () => {
    await page.goto('/decisions?code=signature.invalid&time=1h');
    await page.getByText('No decision matches these filters').waitFor();
    await page.getByRole('button', { name: 'Clear all filters' }).click();
    await page.getByText(REFUSED).waitFor();
  });
  visitor.expectQuiet();
});

test('a pull appears in the list while it is looked at', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.goto('/decisions?repository=registry.example/prod/shop/new');
  await page.getByText('No decision matches these filters').waitFor();
  await house.push('prod/shop/new', 'v1');
  assert.equal(await house.pull('prod/shop/new', 'v1'), 403);
  await page.getByText('registry.example/prod/shop/new:v1').waitFor();
  visitor.expectQuiet();
});

test('a refusal is explained as a tree that the keys walk', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin, SIGHTS.phone);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.goto('/decisions?outcome=deny&repository=registry.example/prod/shop/catalogue');
  await page.getByRole('link', { name: REFUSED }).click();
  await page.getByText('Refused by policy production: sha256:').waitFor();
  const tree = page.getByRole('tree', { name: 'Findings' });
  await tree.waitFor();
  const items = tree.getByRole('treeitem');
  await items.first().focus();
  const all = await items.count();
  const focused = () => page.evaluate<string>('document.activeElement.dataset.id');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), '0.0');
  await page.keyboard.press('ArrowLeft');
  assert.ok((await items.count()) < all, 'the row is closed');
  assert.equal(await page.locator('[data-id="0.0"]').getAttribute('aria-expanded'), 'false');
  await page.keyboard.press('ArrowRight');
  assert.equal(await items.count(), all);
  await page.keyboard.press('End');
  assert.equal(await focused(), await items.last().getAttribute('data-id'));
  await page.keyboard.press('Home');
  assert.equal(await focused(), '0');
  // The tree is one stop of the tab key.
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate('document.activeElement.closest("[role=tree]") === null'), true);

  const leaf = items.filter({ hasText: 'carries no signature' }).last();
  const text = await leaf.textContent();
  for (const part of ['fail', 'signature.none', 'semantics 1', 'Remedy:', 'bulla sign']) {
    assert.ok(text?.includes(part), `the leaf lacks ${part}: ${text}`);
  }
  await page.getByRole('button', { name: 'Copy command' }).click();
  const command = await page.evaluate<string>('navigator.clipboard.readText()');
  assert.match(command, /^bulla decisions explain [0-9A-Z]{26} --server http:\S+$/);
  await page.getByText('The record’s entry as JSON').click();
  const json = await page.getByRole('group', { name: 'decision as JSON' }).textContent();
  assert.ok(json);
  assert.equal(JSON.parse(json).id, command.split(' ')[3]);
  visitor.expectQuiet();
});

test('a tag that came back shows in its history', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await house.push('tools/clock', 'stable', 'one');
  await house.pull('tools/clock', 'stable');
  await house.push('tools/clock', 'stable', 'two');
  await house.pull('tools/clock', 'stable');
  await house.push('tools/clock', 'stable', 'one');
  await house.pull('tools/clock', 'stable');
  await signIn(page, OWNER);
  await page.goto('/repositories/tools/clock');
  await page.getByRole('link', { name: 'stable' }).click();
  await page.getByText('rolled back').waitFor();
  await page.goto('/repositories/prod/shop/checkout?tag=v1.4.2');
  await page.getByText('application/vnd.dev.sigstore.bundle.v0.3+json').waitFor();
  visitor.expectQuiet();
});

test('the policy of the page lets no foreign script and no foreign address in', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  const attempts = [
    {
      name: 'an inline handler',
      script: `b.innerHTML = '<img src=x onerror="window.broken = 1">'`,
    },
    {
      name: 'an inline script',
      script: `s = document.createElement('script'); s.textContent = 'window.broken = 1'; b.append(s)`,
    },
    { name: 'a style in the markup', script: `b.innerHTML = '<p style="color: red">a</p>'` },
    { name: 'another host', script: `fetch('https://evil.example/').catch(() => 0)` },
    { name: 'a frame', script: `b.innerHTML = '<iframe src="https://evil.example/"></iframe>'` },
  ];
  for (const { name, script } of attempts) {
    await t.test(name, async () => {
      await page.evaluate(`new Promise((done) => {
        document.addEventListener('securitypolicyviolation', done, { once: true });
        let s; const b = document.createElement('div'); document.body.append(b); ${script};
      }).then(() => 0)`);
      assert.equal(await page.evaluate('window.broken'), undefined);
    });
  }
  assert.throws(() => visitor.expectQuiet(), 'what the browser refuses fails a test');
});
