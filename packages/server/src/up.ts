import { createPublicKey, randomBytes } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { publicKeyOf, publicKeyPem } from '@bulla/trust/crypto/public-key';
import { sealCosignKey } from '@bulla/trust/keys/file/cosign-key';
import { generatePrivateKey } from '@bulla/trust/keys/file/generate';
import { writeKeyFiles } from '@bulla/trust/keys/file/write';
import { initialPolicy } from '@bulla/trust/policy/init';
import type { ServerConfig } from './config/config.ts';
import { defaultConfig } from './config/parse.ts';
import { SYSTEM_CLOCKS } from './wiring/clocks.ts';
import { wireListeners } from './wiring/listeners.ts';

/** What `bulla up` was asked for. */
export interface UpOptions {
  /** The data folder; made when it is missing. */
  readonly data: string;
  /** URLs to listen on; empty: the defaults. */
  readonly listen: readonly string[];
  /** Policy files or folders; empty: those of the data folder. */
  readonly policies: readonly string[];
  readonly environment: string | null;
}

/** The key and the policy that the first start makes; both are the user's to replace. */
export interface Starter {
  readonly policyFile: string;
  readonly keyFile: string;
  readonly publicKeyFile: string;
  readonly passphraseFile: string;
}

/** A configuration with everything there that it names. */
export interface PreparedUp {
  readonly config: ServerConfig;
  /** Null when the data folder had policies already, or others were named. */
  readonly starter: Starter | null;
}

/** By this name the overview knows that nobody has written a policy yet. */
export const STARTER_POLICY = 'starter';

/**
 * The configuration of `bulla up`, with what is missing made: the data folder (for its owner alone),
 * and on the first start a signing key and a policy in mode audit, which is about the local store and
 * nothing else (semantics 4). Throws `usage.file`, `storage.folder-unsuitable`.
 */
export async function prepareUp(options: UpOptions): Promise<PreparedUp> {
  const data = resolve(options.data);
  await mkdir(data, { recursive: true, mode: 0o700 });
  const defaults = defaultConfig(data);
  const folder = join(data, 'policies');
  const asked: ServerConfig = {
    ...defaults,
    data,
    listen:
      options.listen.length === 0
        ? defaults.listen
        : options.listen.map((url) => ({ url, tls: null })),
    environment: options.environment,
    policies:
      options.policies.length === 0 ? [folder] : options.policies.map((path) => resolve(path)),
  };
  // The name of the registry is in the starter policy, so its port is chosen now.
  const { registry, listeners } = await wireListeners(asked, SYSTEM_CLOCKS.clock());
  const config: ServerConfig = {
    ...asked,
    listen: listeners.map(({ url }) => ({ url, tls: null })),
    gateway: { ...asked.gateway, name: registry },
  };
  const isFirst = options.policies.length === 0 && !(await exists(folder));
  return { config, starter: isFirst ? await makeStarter(data, folder, registry) : null };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

async function makeStarter(data: string, policies: string, registry: string): Promise<Starter> {
  const keys = join(data, 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const starter = {
    policyFile: join(policies, 'starter.yaml'),
    keyFile: join(keys, 'starter.key'),
    publicKeyFile: join(keys, 'starter.pub'),
    passphraseFile: join(keys, 'starter.passphrase'),
  };
  const key = await generatePrivateKey();
  const passphrase = randomBytes(24).toString('base64url');
  const publicKey = publicKeyOf(createPublicKey(key), starter.publicKeyFile);
  // Of an earlier start that was killed before its policy was there.
  await writeKeyFiles(
    [
      { path: starter.keyFile, text: await sealCosignKey(key, passphrase), secret: true },
      { path: starter.passphraseFile, text: `${passphrase}\n`, secret: true },
      { path: starter.publicKeyFile, text: publicKeyPem(publicKey), secret: false },
    ],
    { overwrite: true },
  );
  const text = initialPolicy({
    name: STARTER_POLICY,
    mode: 'audit',
    images: [{ glob: `${registry}/**` }],
    signer: { kind: 'key', ref: '../keys/starter.pub' },
    header: [
      'Written by the first start of `bulla up`, for the images of its own registry and no others.',
      'In mode audit it refuses nothing: it records what would have been refused.',
    ],
  });
  // The folder comes last: with it the first start is over.
  await mkdir(policies, { recursive: true, mode: 0o700 });
  await writeKeyFiles([{ path: starter.policyFile, text, secret: false }]);
  return starter;
}
