// Exceptions and break-glass as people see them: what waits, what holds, and what has to be reviewed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, signIn, visit } from './browser.ts';
import { type Emergency, openEmergency } from './emergency.ts';
import { type House, OWNER, openHouse } from './house.ts';

const IMAGE = ['prod/shop/catalogue', 'v2'] as const;

let browser: Browser | null = null;
let house: House;
let emergency: Emergency;

before(async () => {
  house = await openHouse({ exceptions: true });
  emergency = await openEmergency(house);
});

after(async () => {
  await browser?.close();
  await house[Symbol.asyncDispose]();
});

/** The page of an exception, from the list. */
async function openException(page: Page, name: string): Promise<void> {
  await page.goto('/exceptions');
  await page.getByRole('cell').getByRole('link', { name, exact: true }).click();
  await page.getByText('What happened').waitFor();
}

test('an exception is followed from its request to its end, by the commands that the page shows', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.goto('/exceptions');
  await page.getByText('Nobody asked for an exception yet').waitFor();
  await page.getByRole('group', { name: /Ask for one/ }).waitFor();

  await emergency.request('ben', 'late-release');
  assert.equal(await house.pull(...IMAGE), 403);
  await openException(page, 'late-release');
  for (const says of [
    'dev@acme.example',
    'the signer is down, ticket <b>4711</b> \\u202e!',
    'nobody yet',
  ]) {
    await page.getByRole('definition').getByText(says).waitFor();
  }
  await page.getByText('lets nothing in before an approver has signed it').waitFor();

  // What the page shows is what runs, but for what only the approver knows.
  const commands = await page.getByRole('group', { name: /Approve it/ }).textContent();
  for (const line of (commands ?? '').split('\n')) {
    const words = line
      .split(' ')
      .slice(1)
      .map((word) => known(word));
    await emergency.as('ann', words[1] === 'approve' ? [...words, '--yes'] : words);
  }
  await page.reload();
  await page.getByText('It is approved and lets images in').waitFor();
  await page.getByText('signed by security@acme.example').waitFor();
  assert.equal(await house.pull(...IMAGE), 200);

  await page.reload();
  await page.getByRole('link', { name: '1 decision' }).click();
  await page.waitForURL(/exception=sha256:/);
  const row = page.getByRole('row').filter({ hasText: 'catalogue' });
  await row.getByText('exception', { exact: true }).waitFor();
  await row.getByRole('link').first().click();
  await page.getByRole('tree').waitFor();
  await page.getByText('approved by security@acme.example').first().waitFor();
  await page.getByRole('link', { name: 'late-release' }).click();
  await page.getByText('What happened').waitFor();

  await page.getByRole('button', { name: 'Revoke late-release' }).click();
  const form = page.getByRole('form', { name: 'Revoke late-release' });
  await form.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await page.locator(':focus').textContent(), 'Revoke');
  await page.keyboard.press('Enter');
  await form.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('Write a sentence').waitFor();
  await form.getByLabel('Why').fill('the signer is back');
  await form.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('It was revoked and lets nothing in any more.').waitFor();
  await page.getByText('the signer is back').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Revoke late-release' }).count(), 0);
  assert.equal(await page.evaluate('document.activeElement.id'), 'content');
  assert.equal(await house.pull(...IMAGE), 403);

  await page.goto('/record');
  await page.getByRole('cell').getByText('the signer is back').waitFor();
  const acts = await page
    .getByRole('row')
    .getByText(/^(requested|approved|revoked)$/)
    .allTextContents();
  assert.deepEqual(acts, ['revoked', 'approved', 'requested']);
  await page.getByRole('link', { name: 'See the exception' }).first().click();
  await page.getByText('What happened').waitFor();
  visitor.expectQuiet();
});

/** What a command leaves to its reader. */
function known(word: string): string {
  const values: Readonly<Record<string, string>> = {
    'YOU@EXAMPLE': 'security@acme.example',
    'APPROVER.key': house.stage.path('security.key'),
  };
  return values[word] ?? (/^\w+\.json$/.test(word) ? house.stage.path(word) : word);
}

test('break-glass is told on every page until its review is closed, by somebody else', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  const banner = page.getByRole('region', { name: 'Break-glass' });
  assert.equal(await banner.count(), 0);
  await emergency.breakGlass('ben', 'outage-12');
  assert.equal(await house.pull(...IMAGE), 200);
  for (const path of ['/', '/policies', '/users', '/account']) {
    await page.goto(path);
    await banner.getByText('BREAK-GLASS HOLDS').waitFor();
    await banner.getByText(/(hour|minutes) left/).waitFor();
  }
  await page.goto('/decisions');
  await page.getByRole('row').getByText('break-glass', { exact: true }).first().waitFor();

  await banner.getByRole('link', { name: 'outage-12' }).click();
  await page.getByText('The glass is broken').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Close the review/ }).count(), 0);
  await page.getByRole('button', { name: 'Revoke outage-12' }).click();
  await page.getByRole('textbox', { name: 'Why' }).fill('checkout is up');
  await page.keyboard.press('Enter');
  await page.getByText('It was revoked and lets nothing in any more.').waitFor();
  await banner.getByText('1 review of break-glass is open.').waitFor();
  await banner.getByText('BREAK-GLASS HOLDS').waitFor({ state: 'detached' });

  await banner.getByRole('link', { name: 'See what is to be reviewed' }).click();
  await page.getByText('1 active').waitFor();
  await page.getByRole('cell').getByRole('link', { name: 'outage-12' }).click();
  await page.getByRole('button', { name: 'Close the review of outage-12' }).click();
  await page.getByLabel('What the review found').fill('it was needed');
  await page.keyboard.press('Enter');
  await page.getByText('reviewed', { exact: true }).waitFor();
  await page.getByText('it was needed').waitFor();
  await banner.waitFor({ state: 'detached' });
  visitor.expectQuiet();
});

test('who broke the glass is refused its review, in the words of the server', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await emergency.breakGlass('ann', 'outage-13');
  await emergency.as('ann', ['exception', 'revoke', 'outage-13', '--reason', 'it is up again']);
  await openException(page, 'outage-13');
  await page.getByRole('button', { name: 'Close the review of outage-13' }).click();
  await page.getByLabel('What the review found').fill('I was right');
  await page.keyboard.press('Enter');
  await page.getByText('exception.self-reviewed').waitFor();
  await page.getByText('somebody else has to review it').waitFor();
  await page.getByText('review open').waitFor();
  await page.getByRole('region', { name: 'Break-glass' }).waitFor();
  visitor.expectQuiet();
});

test('an auditor reads exceptions and the banner, and is offered nothing to change', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await emergency.request('ben', 'for-the-auditor');
  const link = await emergency.linkFor('cleo');
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await page.goto(`/sign-in#token=${link}&user=cleo`);
  await page.getByLabel('Password', { exact: true }).fill('papyrus and beeswax');
  await page.getByLabel('Password again').fill('papyrus and beeswax');
  await page.getByRole('button', { name: 'Set and sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByRole('region', { name: 'Break-glass' }).waitFor();
  await openException(page, 'for-the-auditor');
  assert.equal(await page.getByRole('button', { name: /^(Withdraw|Revoke)/ }).count(), 0);
  await openException(page, 'outage-13');
  assert.equal(await page.getByRole('button', { name: /^Close the review/ }).count(), 0);
  await page.goto('/simulations');
  await page.getByText('Your role does not allow this').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Simulate' }).count(), 0);
  visitor.expectQuiet();
});
