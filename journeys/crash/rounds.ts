import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pushImage } from '../../demo/image.ts';
import { openRepository } from '../artifact.ts';
import {
  type RunningServer,
  signedPolicy,
  signInOwner,
  startUp,
  type UpWanted,
} from '../server.ts';
import { makeKey, openStage, type Stage } from '../stage.ts';
import { checkAll, checkDatabase } from './check.ts';
import { emptyLedger, type Ledger } from './ledger.ts';
import { AUDITED, ENFORCED, SIGNED, workUntilKilled } from './load.ts';

/**
 * The moment of a kill: after so many answers to clients; so long after the process began; or at the
 * n-th system call of a kind that one of its threads makes (by strace, at exactly that call).
 */
export type Moment =
  | { readonly kind: 'answers'; readonly count: number }
  | { readonly kind: 'delay'; readonly ms: number }
  | {
      readonly kind: 'call';
      /** Names of system calls, as strace takes them. */
      readonly calls: string;
      readonly nth: number;
      /** Where strace writes which calls there were. */
      readonly log?: string;
    };

/** A moment that never comes ends after so many answers. */
const ANSWERS_MOST = 150;

/** A server with a load on it that is killed again and again, on one folder. */
export interface KilledServer extends AsyncDisposable {
  /** Works with the server, kills it at the moment, starts it again and looks after everything. */
  readonly round: (moment: Moment) => Promise<void>;
  readonly ledger: Ledger;
}

/** Makes the folder: its owner, tokens, policies, and an image that is signed. */
export async function openKilledServer(): Promise<KilledServer> {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const { key, pub } = await makeKey(stage, 'release');
  const audited = { name: 'audited', pub, images: '**/load/**', mode: 'audit' } as const;
  await stage.write('policies/audited.yaml', signedPolicy(audited));
  await stage.write(
    'policies/enforced.yaml',
    signedPolicy({ name: 'enforced', pub, images: '**/prod/**' }),
  );
  const wanted: UpWanted = { policies: [stage.path('policies')] };
  let server = await startUp(stage, wanted);
  opened.defer(() => server.stop());
  const owner = await signInOwner(server);
  const actions = ['pull', 'push', 'delete'] as const;
  const token = await owner.makeToken({ name: 'load', repository: '**', actions });
  const signs = ['pull', 'push', 'sign'] as const;
  const signToken = await owner.makeToken({ name: 'release', repository: '**', actions: signs });
  for (const repository of [AUDITED, ENFORCED]) {
    const image = `${server.host}/${repository}`;
    await pushImage(await openRepository(image, token), SIGNED, repository);
    const credentials = ['--registry-username', 'token', '--registry-password', signToken];
    await stage.succeeds(['sign', '--key', key, ...credentials, `${image}:${SIGNED}`]);
  }
  const ledger = emptyLedger();
  let round = 0;
  const life = opened.move();
  return {
    ledger,
    async round(moment) {
      await server.stop();
      // The same address, since policies, cookies and clients know it.
      const again = { ...wanted, listen: [server.origin] };
      const killed = await startToKill(stage, again, moment);
      if (killed !== null) {
        const isTime = killAt(killed, moment);
        await workUntilKilled({
          ...{ server: killed, owner, token, ledger },
          round: round++,
          answered: isTime,
        });
        await killed.kill();
      }
      checkDatabase(server.data);
      server = await startUp(stage, again);
      await checkAll({ server, owner, signToken }, ledger);
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

/** What is told of each answer, and kills after as many as the moment says, if nothing did before. */
function killAt(server: RunningServer, moment: Moment): () => void {
  const most = moment.kind === 'answers' ? moment.count : ANSWERS_MOST;
  let answers = 0;
  return () => {
    answers += 1;
    if (answers === most) void server.kill();
  };
}

/** Starts a server that may die before it is ready: null when it did. */
export async function startToKill(
  stage: Stage,
  wanted: UpWanted,
  moment: Moment,
): Promise<RunningServer | null> {
  let child: ChildProcess | undefined;
  const tracing = moment.kind === 'call' ? underStrace(moment) : {};
  try {
    return await startUp(stage, {
      ...wanted,
      ...tracing,
      spawned(process) {
        child = process;
        if (moment.kind !== 'delay') return;
        void sleep(moment.ms).then(() => process.kill('SIGKILL'));
      },
    });
  } catch (error) {
    if (child?.signalCode !== 'SIGKILL' || moment.kind === 'answers') throw error;
    return null;
  }
}

/** strace as a grandchild (-D), so that the process is ours to end; one thread for files. */
function underStrace({
  calls,
  nth,
  log = '/dev/null',
}: Extract<Moment, { readonly kind: 'call' }>): Pick<UpWanted, 'under' | 'env'> {
  const inject = `inject=${calls}:signal=SIGKILL:when=${nth}`;
  const options = ['-D', '-f', '--seccomp-bpf', '-qq', '-o', log];
  return {
    under: ['strace', ...options, '-e', `trace=${calls}`, '-e', 'signal=none', '-e', inject],
    env: { UV_THREADPOOL_SIZE: '1' },
  };
}

/**
 * Kills the first start on an empty folder, which makes keys, policies, the database and its tables.
 * The next start must find its way, and let its operator and the clients work.
 */
export async function killFirstStart(moment: Moment): Promise<void> {
  await using stage = await openStage();
  // The registry's name is in the policy that the first start writes, and the port is in the name.
  const wanted = { listen: [await freeOrigin()] };
  const killed = await startToKill(stage, wanted, moment);
  await killed?.kill();
  await useAfterFirstStart(stage, wanted, killed?.secrets ?? null);
}

/**
 * Starts again after a first start that ended somewhere, lets its operator and clients work, and ends
 * it. `told` is what the one before said on its terminal, null for nothing.
 */
export async function useAfterFirstStart(
  stage: Stage,
  wanted: UpWanted,
  told: RunningServer['secrets'],
): Promise<void> {
  let server = await startUp(stage, wanted);
  let token = (told ?? server.secrets)?.pushToken;
  if (token === undefined) {
    // The first start was over, and was killed before it told anybody: the operator helps himself.
    await server.stop();
    token = await operatorsToken(stage, server.data);
    server = await startUp(stage, wanted);
  }
  await using last = server;
  const ready = await fetch(`${last.origin}/readyz`);
  assert.equal(ready.status, 200, await ready.text());
  const image = `${last.host}/team/app`;
  await pushImage(await openRepository(image, token), 'v1', 'the first');
  // The starter policy audits, so it is served.
  await stage.succeeds(['copy', `${image}:v1`, `oci:${stage.path('pulled')}:v1`]);
  await last.stop();
  checkDatabase(last.data);
  await stage.succeeds(['record', 'verify', '--data', last.data]);
}

/** An address of loopback with a port that is free. */
export async function freeOrigin(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

async function operatorsToken(stage: Stage, data: string): Promise<string> {
  const secret = await stage.succeeds([
    ...['token', 'create', '--data', data, '--for', 'owner', '--name', 'again'],
    ...['--repository', '**:pull,push'],
  ]);
  return secret.trim();
}
