// How people come in and go out: the first owner, a password, a link, the end of a session.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openBrowser, signIn, visit } from './browser.ts';
import { type House, OWNER, openHouse } from './house.ts';

let browser: Browser | null = null;
let house: House;
let empty: House;

before(async () => {
  house = await openHouse();
  empty = await openHouse({ lived: false });
});

after(async () => {
  await browser?.close();
  await house[Symbol.asyncDispose]();
  await empty[Symbol.asyncDispose]();
});

test('the first owner comes with the link, chooses name and password, and finds what to do next', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, empty.origin);
  const { page } = visitor;
  // The link is pasted where the page of the sign-in is open: nothing of it is loaded anew.
  await page.goto('/sign-in');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.goto(`/sign-in${empty.link}`);
  await page.getByRole('heading', { name: 'Welcome' }).waitFor();
  assert.equal(new URL(page.url()).hash, '');
  assert.equal(page.url(), `${empty.origin}/sign-in`, 'the token is out of the address at once');
  await page.getByLabel('Name').fill('ann');
  await page.getByLabel('Password', { exact: true }).fill('a seal of clay, dried');
  await page.getByLabel('Password again').fill('a seal of clay, wet');
  await page.getByRole('button', { name: 'Set and sign in' }).click();
  await page.getByText('The two passwords differ.').waitFor();
  await page.getByLabel('Password again').fill('a seal of clay, dried');
  await page.getByRole('button', { name: 'Set and sign in' }).click();
  await page.getByText('No policy is in force, so every image is refused.').waitFor();
  await page.getByRole('link', { name: 'Decisions', exact: true }).click();
  await page.getByText('No decision was taken yet').waitFor();
  await page.getByRole('link', { name: 'Repositories', exact: true }).click();
  await page.getByText('No repository is here yet').waitFor();
  await page.getByRole('link', { name: 'Policies', exact: true }).click();
  await page.getByText('bulla policy init').waitFor();
  visitor.expectQuiet();

  await using second = await visit(browser, empty.origin);
  await second.page.goto(`/sign-in${empty.link}`);
  await second.page.getByLabel('Name').fill('eve');
  await second.page.getByLabel('Password', { exact: true }).fill('another seal of clay');
  await second.page.getByLabel('Password again').fill('another seal of clay');
  await second.page.getByRole('button', { name: 'Set and sign in' }).click();
  await second.page.getByText('access.link-invalid').waitFor();
  second.expectQuiet();
});

test('a page that needs a session comes back after the sign-in, and a wrong password says so', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await page.goto('/decisions?outcome=deny');
  await page.getByLabel('Name').fill(OWNER.name);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('access.credentials-invalid').waitFor();
  await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Decisions' }).waitFor();
  assert.equal(page.url(), `${house.origin}/decisions?outcome=deny`);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.goto('/policies');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  visitor.expectQuiet();
});

test('a session that ended elsewhere leads to the sign-in', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  // A page that asks nothing by itself.
  await page.getByRole('link', { name: 'Tokens', exact: true }).click();
  await page.getByText('release workflow').waitFor();
  await page.context().clearCookies();
  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByText('Your session has ended').waitFor();
  visitor.expectQuiet();
});

test('a user is added, signs in with the link, and sees what the role allows', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using owner = await visit(browser, house.origin);
  await signIn(owner.page, OWNER);
  await owner.page.goto('/users');
  await owner.page.getByRole('button', { name: 'Add a user' }).click();
  await owner.page.getByLabel('Name').fill('dora');
  await owner.page.getByLabel('Role', { exact: true }).selectOption('auditor');
  await owner.page.getByRole('button', { name: 'Add', exact: true }).click();
  const link = await owner.page.getByRole('group', { name: 'sign-in link' }).textContent();
  assert.ok(link);
  await owner.page.reload();
  await owner.page.getByText('dora').waitFor();
  assert.equal(await owner.page.getByText('#token=').count(), 0, 'the link is shown once');

  await using dora = await visit(browser, house.origin);
  await dora.page.goto(link);
  await dora.page.getByText('You will sign in as dora').waitFor();
  await dora.page.getByLabel('Password', { exact: true }).fill('papyrus and beeswax');
  await dora.page.getByLabel('Password again').fill('papyrus and beeswax');
  await dora.page.getByRole('button', { name: 'Set and sign in' }).click();
  await dora.page.getByRole('heading', { name: 'Overview' }).waitFor();
  const menu = await dora.page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('link')
    .allTextContents();
  assert.deepEqual(
    menu.map((text) => text.trim()),
    [
      'Overview',
      'Decisions',
      'Exceptions',
      'Policies',
      'Streams',
      'Record',
      'Users',
      'Tokens',
      'Activity',
    ],
  );
  await dora.page.goto('/repositories');
  await dora.page.getByText('Your role does not allow this').waitFor();
  await dora.page.goto('/users');
  await dora.page.getByText('cleo').waitFor();
  assert.equal(await dora.page.getByRole('button', { name: 'Add a user' }).count(), 0);

  await owner.page.getByRole('button', { name: 'Disable dora' }).click();
  await owner.page
    .getByRole('group', { name: 'Disable dora' })
    .getByRole('button', { name: 'Disable' })
    .click();
  await owner.page.getByRole('button', { name: 'Enable dora' }).waitFor();
  await dora.page.goto('/decisions');
  await dora.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  owner.expectQuiet();
  dora.expectQuiet();
});

test('a token is shown once, works, and is refused once it is revoked', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  await signIn(page, OWNER);
  await page.goto('/tokens');
  await page.getByRole('button', { name: 'Create a token' }).click();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByText('Give the token a name').waitFor();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('deploy');
  await page.getByLabel('Repositories or globs').fill('tools/**');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const secret = await page.getByRole('group', { name: 'token' }).textContent();
  assert.ok(secret);
  assert.match(secret, /^bulla_/);
  await page.getByRole('button', { name: 'Copy token' }).click();
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), secret);
  const status = async (repository: string) => {
    const credentials = Buffer.from(`ann:${secret}`).toString('base64');
    const answer = await fetch(`${house.origin}/v2/${repository}/manifests/nightly`, {
      headers: { authorization: `Basic ${credentials}` },
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  assert.equal(await status('tools/backup'), 200);
  assert.notEqual(await status('prod/shop/checkout'), 200);

  await page.reload();
  await page.getByText('deploy', { exact: true }).waitFor();
  assert.equal((await page.content()).includes(secret), false);
  await page.getByRole('button', { name: 'Revoke deploy' }).click();
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('button', { name: 'Revoke deploy' }).click();
  await page
    .getByRole('group', { name: 'Revoke deploy' })
    .getByRole('button', { name: 'Revoke' })
    .click();
  await page.getByText('revoked').waitFor();
  assert.equal(await status('tools/backup'), 401);
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByText('Revoked token').waitFor();
  visitor.expectQuiet();
});

test('a password is changed, and the old one is refused from then on', async (t) => {
  browser ??= await openBrowser(t);
  if (browser === null) return;
  await using visitor = await visit(browser, house.origin);
  const { page } = visitor;
  const next = 'a seal of wax, molten';
  await signIn(page, OWNER);
  await page.getByRole('link', { name: 'Account: ann' }).click();
  await page.getByLabel('Present password').fill('not the password');
  await page.getByLabel('New password', { exact: true }).fill(next);
  await page.getByLabel('New password again').fill(next);
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await page.getByText('access.credentials-invalid').waitFor();
  await page.getByLabel('Present password').fill(OWNER.password);
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await page.getByText('The password was changed.').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('Name').fill(OWNER.name);
  await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('access.credentials-invalid').waitFor();
  await signIn(page, { ...OWNER, password: next });
  visitor.expectQuiet();
});
