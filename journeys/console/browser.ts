import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { requirePeer } from '../../test/peers.ts';

/** How a visitor sees the console. */
export interface Sight {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
}

/** The narrowest phone that is served, and a usual screen. */
export const SIGHTS = {
  phone: { width: 360, height: 740 },
  desktop: { width: 1280, height: 900 },
} as const;

/** A visitor of one origin. What goes wrong in their browser is collected, and refused at the end. */
export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Asserts that the browser reported nothing, and nothing was asked of another origin. */
  expectQuiet(): void;
}

/** Debian's Chromium, or null when the test was skipped for the lack of it. */
export async function openBrowser(t: Pick<TestContext, 'skip'>): Promise<Browser | null> {
  const executablePath = requirePeer(t, 'chromium');
  if (executablePath === null) return null;
  // Tests run as root in containers, where the sandbox cannot start.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** A visitor with cookies and storage of their own, who asks for no movement. */
export async function visit(
  browser: Browser,
  origin: string,
  sight: Partial<Sight> = {},
): Promise<Visit> {
  const { width, height, scheme } = { ...SIGHTS.desktop, scheme: 'light' as const, ...sight };
  const options: BrowserContextOptions = {
    baseURL: origin,
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
    serviceWorkers: 'block',
  };
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // What a refused request says of itself is the server's answer, and shown by the page.
    const refusal = /^Failed to load resource: the server responded with a status of 4\d\d/;
    if (/^(error|warning)$/.test(message.type()) && !refusal.test(message.text())) {
      troubles.push(`console: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) troubles.push(`request: ${request.url()}`);
  });
  return {
    page,
    expectQuiet: () => assert.deepEqual(troubles, []),
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Signs in by name and password. */
export async function signIn(
  page: Page,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}
