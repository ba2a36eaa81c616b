// What changes decisions, and who hears of them: simulations, rollouts and streams in the console.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openBrowser, signIn, visit } from './browser.ts';
import { type House, OWNER, openHouse } from './house.ts';
import { openReceiver, type Receiver } from './receiver.ts';

const HOUR_MS = 3_600_000;

let browser: Browser | null = null;
let house: House;
let receiver: Receiver;
/** So far is the server ahead of the machine. */
let aheadMs = 0;

before(async () => {
  receiver = await openReceiver('siem');
  const clock = () => new Date(Date.now() + aheadMs);
  house = await openHouse({ streams: [receiver.stream], clock });
});

after(async () => {
  await browser?.close();
  await house[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

test('policies are tried on what was decided, and refused where they are wrong', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.goto('/simulations');
  await page.getByText('Nothing was simulated yet').waitFor();
  await page.getByRole('button', { name: 'Simulate' }).click();
  const form = page.getByRole('region', { name: 'Ask what would be' });
  await form.getByRole('button', { name: 'Simulate' }).click();
  await form.getByText('Write the policies as YAML').waitFor();
  await form.getByLabel(/TrustPolicy documents/).fill('kind: TrustPolicy\nspec: { mode: maybe }\n');
  await form.getByRole('button', { name: 'Simulate' }).click();
  await form.getByText('impact.candidate-invalid').waitFor();
  await form.getByLabel(/TrustPolicy documents/).fill(strict());
  await form.getByRole('button', { name: 'Simulate' }).click();

  await page.getByRole('heading', { name: /If these were in force: candidate\.yaml/ }).waitFor();
  const totals = page.getByRole('region', { name: 'What would change' });
  assert.match((await totals.textContent()) ?? '', /^1newly denied0newly admitted/);
  await page.getByRole('link', { name: 'Repository', exact: true }).click();
  await page.getByRole('cell', { name: 'registry.example/tools/backup', exact: true }).waitFor();
  await page.getByRole('link', { name: 'Reason', exact: true }).click();
  await page
    .getByRole('cell', { name: /signature\.none/ })
    .first()
    .waitFor();
  await totals.getByRole('link', { name: /newly admitted/ }).click();
  await page.getByText('None is newly admitted.').waitFor();
  await totals.getByRole('link', { name: /newly denied/ }).click();
  await page.getByRole('link', { name: 'registry.example/tools/backup:nightly' }).click();
  await page.getByRole('tree').waitFor();
  await page.goto('/simulations');
  await page.getByText('1 newly denied, 0 newly admitted, 0 cannot be answered').waitFor();
  visitor.expectQuiet();
});

/** A policy that enforces where one records, with the key that is known by its file. */
const strict = () => `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: tools }
spec:
  images: [{ glob: "registry.example/tools/**" }]
  authorities:
    release: { key: { ref: "${house.stage.path('release.pub')}" } }
  require:
    signed: { of: [release] }
`;

test('a key that goes takes along what only it has signed, and the page says what to sign again', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.goto('/simulations');
  await page.getByRole('button', { name: 'Simulate' }).click();
  await page.getByRole('combobox', { name: 'Simulate' }).selectOption('impact');
  await page.getByLabel('Keys that are retired').fill('nobody');
  const submit = page
    .getByRole('region', { name: 'Ask what would be' })
    .getByRole('button', { name: 'Simulate' });
  await submit.click();
  await page.getByText('impact.change-unknown').waitFor();
  await page.getByLabel('Keys that are retired').fill('release');
  await submit.click();
  await page.getByRole('heading', { name: 'If the key release is retired' }).waitFor();
  await page
    .getByText('1 digest would lose the last valid path: 0 running, 1 deployable.')
    .waitFor();
  const lost = page.getByRole('region', { name: 'Images: lost' });
  await lost.getByText('prod/shop/checkout').waitFor();
  await lost.getByText(/no signature mends it/).waitFor();
  await lost.getByRole('button', { name: 'Copy list of digests' }).click();
  assert.match(
    await page.evaluate('navigator.clipboard.readText()'),
    /^registry\.example\/prod\/shop\/checkout@sha256:[0-9a-f]{64}$/,
  );
  visitor.expectQuiet();
});

test('a policy is observed, and enforced by a recorded step, whatever its file says', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.goto('/policies/everything');
  await page.getByRole('button', { name: 'Open a window' }).waitFor();
  // The console offers days; the shortest window is an hour.
  await house.ask('POST', '/rollouts', { policy: 'everything', owner: 'ann', windowMs: HOUR_MS });
  await page.reload();
  await page.getByText('Nothing was decided by it since').waitFor();
  await house.push('tools/backup', 'weekly', 'backup of the week');
  assert.equal(await house.pull('tools/backup', 'weekly'), 200);
  await page.reload();
  await page.getByText('What it would have denied: 1 image left, 0 mended').waitFor();
  await page.goto('/policies');
  await page
    .getByRole('cell')
    .getByText(/^observed: .* left$/)
    .waitFor();
  await page.goto('/policies/everything');
  await page.getByRole('button', { name: 'Cut over' }).click();
  const form = page.getByRole('form', { name: 'Cut over everything' });
  await form.getByRole('button', { name: 'Refuse from now on' }).click();
  await form.getByText('rollout.window-open').waitFor();

  aheadMs = HOUR_MS + 60_000;
  await form.getByRole('button', { name: 'Refuse from now on' }).click();
  await form.getByText('rollout.denials-remain').waitFor();
  await form.getByRole('checkbox', { name: /tools\/backup@sha256/ }).check();
  await form.getByLabel('Why that may be denied').fill('backups are not run from here');
  await form.getByRole('button', { name: 'Refuse from now on' }).click();
  await page.getByText('whatever its file says, which is audit').waitFor();
  await page
    .getByRole('definition')
    .getByText(/by ann/)
    .last()
    .waitFor();
  await page.getByText('backups are not run from here').waitFor();
  await page.getByText('audit; a cut-over enforces it all the same').waitFor();
  assert.equal(await house.pull('tools/backup', 'weekly'), 403);
  await page.goto('/policies');
  await page.getByText('by a cut-over; its file says audit').waitFor();

  await page.goto('/policies/everything');
  await page.getByRole('button', { name: 'Take the cut-over back of everything' }).click();
  await page.getByRole('textbox', { name: 'Why' }).fill('backups do not run');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Open a window' }).waitFor();
  await page.goto('/record?subject=everything');
  await page.getByText('took back the cut-over of policy everything').waitFor();
  visitor.expectQuiet();
});

test('what a receiver did not take is sent again, or dropped for good', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.goto('/streams');
  await page.getByText(/dead letters?$/).waitFor();
  await page.getByRole('link', { name: 'siem' }).click();
  await page.getByText('answered 400').first().waitFor();
  await page.getByRole('button', { name: 'Drop entry 1', exact: true }).click();
  const sure = page.getByRole('group', { name: 'Drop entry 1', exact: true });
  await sure.getByText('The receiver never gets it.').waitFor();
  await sure.getByRole('button', { name: 'Drop' }).click();
  await sure.waitFor({ state: 'detached' });
  receiver.takeAll();
  await page.getByRole('button', { name: 'Retry all dead letters' }).click();
  await page.getByText('None: nothing was given up.').waitFor({ timeout: 30_000 });
  assert.ok(receiver.taken() > 0);
  await page.getByRole('link', { name: 'What was done with it' }).click();
  await page.getByRole('row').getByText('dead-letters-dropped').waitFor();
  visitor.expectQuiet();
});
