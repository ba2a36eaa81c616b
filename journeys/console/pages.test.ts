// Every page of the console as Chromium shows it, on a phone and on a screen, light and dark.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { ROOT } from '../stage.ts';
import { openBrowser, SIGHTS, signIn, visit } from './browser.ts';
import { openEmergency } from './emergency.ts';
import { HOST, type House, OWNER, openHouse } from './house.ts';
import { openReceiver, type Receiver } from './receiver.ts';

interface PageCase {
  readonly name: string;
  readonly path: string;
  /** What is there when the page is. */
  readonly shows: string;
}

const PAGES: readonly PageCase[] = [
  { name: 'overview', path: '/', shows: 'Connect a client' },
  { name: 'decisions', path: '/decisions', shows: 'registry.example/prod/shop/catalogue:v2' },
  { name: 'decisions, filtered', path: '/decisions?outcome=deny', shows: '1 active' },
  { name: 'no decisions', path: '/decisions?policy=none', shows: 'No decision matches' },
  {
    name: 'an unknown decision',
    path: '/decisions/01JD0000000000000000000000',
    shows: 'No such decision',
  },
  { name: 'exceptions', path: '/exceptions', shows: 'late-release' },
  { name: 'open reviews', path: '/exceptions?review=open', shows: 'outage-12' },
  { name: 'no exceptions', path: '/exceptions?state=revoked', shows: 'No exception matches' },
  {
    name: 'an unknown exception',
    path: `/exceptions/sha256:${'0'.repeat(64)}`,
    shows: 'No such exception',
  },
  { name: 'simulations', path: '/simulations', shows: 'other policies' },
  {
    name: 'an unknown simulation',
    path: '/simulations/01JD0000000000000000000000',
    shows: 'No such simulation',
  },
  { name: 'streams', path: '/streams', shows: 'siem' },
  { name: 'a stream', path: '/streams/siem', shows: 'Retry all' },
  { name: 'an unknown stream', path: '/streams/nobody', shows: 'No stream of this name' },
  { name: 'the record', path: '/record', shows: 'broke the glass' },
  { name: 'repositories', path: '/repositories', shows: 'prod/shop/checkout' },
  { name: 'a repository', path: '/repositories/prod/shop/checkout', shows: 'v1.5.0-rc1' },
  { name: 'a tag', path: '/repositories/tools/backup?tag=nightly', shows: 'History' },
  {
    name: 'an unknown repository',
    path: '/repositories/nobody/knows',
    shows: 'no such repository',
  },
  { name: 'policies', path: '/policies', shows: 'production' },
  { name: 'a policy', path: '/policies/production', shows: 'kind: TrustPolicy' },
  { name: 'a policy that is observed', path: '/policies/everything', shows: 'not mended' },
  { name: 'users', path: '/users', shows: 'cleo' },
  { name: 'tokens', path: '/tokens', shows: 'release workflow' },
  { name: 'account', path: '/account', shows: 'Change the password' },
  { name: 'activity', path: '/activity', shows: 'Created token' },
];

let house: House;
let browser: Browser | null = null;

let receiver: Receiver;

before(async () => {
  receiver = await openReceiver('siem');
  house = await openHouse({ exceptions: true, streams: [receiver.stream] });
  const emergency = await openEmergency(house);
  await emergency.request('ben', 'late-release');
  await emergency.request('ben', 'next-release');
  await emergency.approve('ann', 'late-release');
  await emergency.breakGlass('ben', 'outage-12');
  await house.pull('prod/shop/catalogue', 'v2');
  await house.ask('POST', '/rollouts', { policy: 'everything', owner: 'ann', windowMs: 3_600_000 });
  await house.push('tools/backup', 'nightly', 'backup 3');
  await house.pull('tools/backup', 'nightly');
  await house.ask('POST', '/simulations', { kind: 'impact', retireKeys: ['release'] });
  await house.ask('POST', '/simulations', { kind: 'simulation', remove: ['everything'] });
});

after(async () => {
  await browser?.close();
  await house[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

for (const [where, size] of Object.entries(SIGHTS)) {
  for (const scheme of ['light', 'dark'] as const) {
    test(`every page, ${where}, ${scheme}`, { timeout: 240_000 }, async (t) => {
      browser ??= await openBrowser(t);
      if (browser === null) return;
      await using visitor = await visit(browser, house.origin, { ...size, scheme });
      const { page } = visitor;
      await t.test('sign-in', async () => {
        await page.goto('/sign-in');
        await page.getByRole('heading', { name: 'Sign in' }).waitFor();
        await inspect(page);
      });
      await signIn(page, OWNER);
      for (const { name, path, shows } of PAGES) {
        await t.test(name, async () => {
          await page.goto(path);
          await page.getByText(shows).first().waitFor();
          await inspect(page);
        });
      }
      await t.test('a decision', async () => {
        await page.goto('/decisions?outcome=deny');
        await page.locator('.image-link').first().click();
        await page.getByRole('tree').waitFor();
        await inspect(page);
      });
      await t.test('exceptions and their forms', async () => {
        for (const name of ['late-release', 'next-release', 'outage-12']) {
          await page.goto('/exceptions');
          await page.getByRole('cell').getByRole('link', { name }).click();
          await page.getByText('What happened').waitFor();
          await inspect(page);
        }
        await page.getByRole('button', { name: 'Revoke outage-12' }).click();
        await inspect(page);
        await page.goto('/decisions?effect=audit&repository=registry.example/prod');
        await page.locator('.image-link').first().click();
        await page.getByText('late-release lifted').waitFor();
        await inspect(page);
      });
      await t.test('simulations and their form', async () => {
        for (const [name, shows] of [
          ['the key release is retired', 'Authorities that change'],
          [/without everything/, 'Compared'],
        ] as const) {
          await page.goto('/simulations');
          await page.getByRole('link', { name }).click();
          await page.getByText(shows).waitFor();
          await inspect(page);
        }
        await page.goto('/simulations');
        await page.getByRole('button', { name: 'Simulate' }).click();
        await inspect(page);
        await page.getByRole('combobox', { name: 'Simulate' }).selectOption('impact');
        await inspect(page);
      });
      await t.test('forms', async () => {
        await page.goto('/policies/everything');
        await page.getByRole('button', { name: 'Cut over' }).click();
        await inspect(page);
        await page.goto('/tokens');
        await page.getByRole('button', { name: 'Create a token' }).click();
        await inspect(page);
        await page.goto('/users');
        await page.getByRole('button', { name: 'Add a user' }).click();
        await page.getByRole('button', { name: 'Disable ben' }).click();
        await inspect(page);
      });
      visitor.expectQuiet();
    });
  }
}

test('pages say where a policy stands, by which name it matches, and what was only recorded', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin, SIGHTS.desktop);
  const { page } = visitor;
  await signIn(page, OWNER);

  await t.test('a policy shows its own file and no other', async () => {
    await page.goto('/policies/everything');
    const file = house.stage.path('policies/everything.yaml');
    await page.getByRole('definition').filter({ hasText: file }).waitFor();
    const texts = page.getByRole('group', { name: /^Text of / });
    assert.equal(await texts.count(), 1);
    assert.equal(await texts.getAttribute('aria-label'), `Text of ${file}`);
    assert.match((await texts.textContent()) ?? '', /name: everything/);
    await page.goto('/policies');
    await page.getByRole('cell', { name: 'production.yaml' }).waitFor();
  });

  await t.test('a repository shows the name for policies, which finds its decisions', async () => {
    await page.goto('/repositories/prod/shop/checkout');
    await page.getByText(`Policies know it as ${HOST}/prod/shop/checkout`).waitFor();
    await page.getByRole('button', { name: 'Copy name for policies' }).waitFor();
  });

  await t.test('what a policy in mode audit let through is counted apart, and found', async () => {
    await page.goto('/');
    const counts = page.getByRole('region', { name: 'Decisions of the last 24 hours' });
    const audited = counts.getByRole('link', { name: /audited/ });
    const found = Number(/^\d+/.exec((await audited.textContent()) ?? '')?.[0]);
    assert.ok(found > 0);
    await audited.click();
    await page.waitForURL(/effect=audit/);
    await page.locator('.image-link').first().waitFor();
    assert.equal(await page.locator('.image-link').count(), found);
  });
  visitor.expectQuiet();
});

test('the scripts of the console stay small', () => {
  const folder = join(ROOT, 'packages/console/dist/assets');
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.js.gz'));
  const sizes = scripts.map((name) => statSync(join(folder, name)).size);
  assert.ok(sizes.length > 0);
  assert.ok(
    sizes.reduce((sum, size) => sum + size, 0) <= 250 << 10,
    `the scripts are ${sizes.join(' + ')} bytes`,
  );
});

test('the keyboard alone leads through the console', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin, SIGHTS.phone);
  const { page } = visitor;
  await page.goto('/');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.keyboard.type(OWNER.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(OWNER.password);
  await page.keyboard.press('Enter');
  await page.getByText('Connect a client').waitFor();
  await page.reload();
  await page.getByText('Connect a client').waitFor();
  const focused = () => page.locator(':focus');
  await page.keyboard.press('Tab');
  assert.equal(await focused().textContent(), 'Skip to the content');
  assert.ok(await focused().isVisible());
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate('document.activeElement.id'), 'content');
  const menu = page.getByRole('button', { name: 'Menu' });
  await menu.focus();
  await page.keyboard.press('Enter');
  assert.equal(await menu.getAttribute('aria-expanded'), 'true');
  for (let step = 0; step < 4; step++) await page.keyboard.press('Tab');
  assert.equal((await focused().textContent())?.trim(), 'Repositories');
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
  assert.equal(outline, 'solid', 'what has the focus is seen');
  await page.keyboard.press('Enter');
  await page.getByText('prod/shop/checkout').waitFor();
  assert.equal(await menu.getAttribute('aria-expanded'), 'false', 'the menu gives way to the page');
  assert.equal(await focused().textContent(), 'Repositories', 'reading goes on at the new title');
  visitor.expectQuiet();
});

/** No violation that axe knows, nothing wider than the window, one first heading, a title. */
async function inspect(page: Page): Promise<void> {
  await page.locator('.loading').first().waitFor({ state: 'detached' });
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const found = violations.map(
    ({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join('\n')}`,
  );
  assert.deepEqual(found, []);
  const [wide, window] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  assert.ok(wide <= window, `the page is ${wide} wide in a window of ${window}`);
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
  assert.match(await page.title(), /^.+ · Bulla$/);
}
