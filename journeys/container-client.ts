import { mkdir } from 'node:fs/promises';
import type { Peer } from '../test/peers.ts';
import type { Run, Stage } from './stage.ts';

/** What a client is asked to do with the image of a reference. */
type Act = (stage: Stage, program: string, image: string) => Promise<Run>;

/** How one container client logs in, pushes and pulls, on plain HTTP and with storage of its own. */
export interface ContainerClient {
  readonly peer: Peer;
  /** Null when it can run here, else why not. */
  readonly unable: (stage: Stage, program: string) => Promise<string | null>;
  readonly login: (stage: Stage, program: string, host: string, token: string) => Promise<Run>;
  /** Pushes an image: the one of the layout `LAYOUT`, or one that it builds. */
  readonly push: Act;
  /** Pulls into nothing that an earlier pull left. */
  readonly pull: Act;
}

const PLAIN = '--tls-verify=false';

/** Writes what the clients read. */
export async function prepareClients(stage: Stage): Promise<void> {
  await stage.write('policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}');
  // Some expect the file that they are told of to be there.
  await stage.write('auth.json', '{}');
  await mkdir(stage.path('pulled'), { recursive: true });
}

/** A run that keeps credentials and storage on the stage. */
export function runClient(stage: Stage, program: string, args: readonly string[]): Promise<Run> {
  return stage.run(program, args, {
    REGISTRY_AUTH_FILE: stage.path('auth.json'),
    DOCKER_CONFIG: stage.path('.docker'),
    // Where a container has no cgroups or namespaces of its own to give.
    BUILDAH_ISOLATION: 'chroot',
    _BUILDAH_STARTED_IN_USERNS: '',
  });
}

/** The options of podman and buildah that keep everything on the stage. */
export function storageOf(stage: Stage, name: string): readonly string[] {
  return ['--storage-driver', 'vfs', ...rootsOf(stage, name)];
}

function rootsOf(stage: Stage, name: string): readonly string[] {
  return ['--root', stage.path(`${name}-storage`), '--runroot', stage.path(`${name}-run`)];
}

/** The options of podman before its command. */
export function podmanOptions(stage: Stage): readonly string[] {
  return [...storageOf(stage, 'podman'), '--events-backend', 'none'];
}

/** By which containers' tools let any image in: Bulla, and not they, decides here. */
export function anyImage(stage: Stage): readonly string[] {
  return ['--signature-policy', stage.path('policy.json')];
}

/** Where an image is pulled to by clients that have no storage; one folder a reference. */
export function pulledInto(stage: Stage, image: string): string {
  return stage.path(`pulled/${image.replaceAll(/[^a-z0-9]/g, '-')}`);
}

/** The layout, below the stage, of the image that clients push. */
export const LAYOUT = 'image';

/** The folder of a build that needs no base; each stage's gives another image. */
async function writeScratch(stage: Stage): Promise<string> {
  await stage.write('scratch/hello', `built from nothing in ${stage.folder}\n`);
  await stage.write('scratch/Dockerfile', 'FROM scratch\nCOPY hello /hello\n');
  return stage.path('scratch');
}

const able = async () => null;

const SKOPEO: ContainerClient = {
  peer: 'skopeo',
  unable: able,
  login: (stage, program, host, token) =>
    runClient(stage, program, ['login', PLAIN, '-u', 'token', '-p', token, host]),
  push: (stage, program, image) =>
    runClient(stage, program, [
      ...['--policy', stage.path('policy.json'), 'copy', '--dest-tls-verify=false'],
      ...[`oci:${stage.path(LAYOUT)}:v1`, `docker://${image}`],
    ]),
  pull: (stage, program, image) =>
    runClient(stage, program, [
      ...['--policy', stage.path('policy.json'), 'copy', '--src-tls-verify=false'],
      ...[`docker://${image}`, `dir:${pulledInto(stage, image)}`],
    ]),
};

const PODMAN: ContainerClient = {
  peer: 'podman',
  unable: able,
  login: (stage, program, host, token) =>
    runClient(stage, program, [
      ...podmanOptions(stage),
      ...['login', PLAIN, '-u', 'token', '-p', token, host],
    ]),
  push: async (stage, program, image) => {
    const options = podmanOptions(stage);
    const tagged = ['--tag', 'localhost/built', await writeScratch(stage)];
    const build = ['build', '--isolation', 'chroot', ...anyImage(stage), ...tagged];
    const built = await runClient(stage, program, [...options, ...build]);
    if (built.code !== 0) return built;
    const push = ['push', PLAIN, ...anyImage(stage), 'localhost/built', image];
    return runClient(stage, program, [...options, ...push]);
  },
  pull: async (stage, program, image) => {
    const options = podmanOptions(stage);
    await runClient(stage, program, [...options, 'rmi', '--all', '--force']);
    return runClient(stage, program, [...options, 'pull', PLAIN, ...anyImage(stage), image]);
  },
};

const BUILDAH: ContainerClient = {
  peer: 'buildah',
  unable: able,
  login: (stage, program, host, token) =>
    runClient(stage, program, [
      ...storageOf(stage, 'buildah'),
      ...['login', PLAIN, '-u', 'token', '-p', token, host],
    ]),
  push: async (stage, program, image) => {
    const storage = storageOf(stage, 'buildah');
    const built = await buildWith(stage, program, [
      ...['-t', 'localhost/built', await writeScratch(stage)],
    ]);
    if (built.code !== 0) return built;
    const push = ['push', PLAIN, ...anyImage(stage), 'localhost/built', `docker://${image}`];
    return runClient(stage, program, [...storage, ...push]);
  },
  pull: async (stage, program, image) => {
    const storage = storageOf(stage, 'buildah');
    await runClient(stage, program, [...storage, 'rmi', '--all', '--force']);
    return runClient(stage, program, [...storage, 'pull', PLAIN, ...anyImage(stage), image]);
  },
};

/** `buildah bud` without a container of its own, of a base that may come over plain HTTP. */
export function buildWith(stage: Stage, program: string, args: readonly string[]): Promise<Run> {
  const bud = ['bud', '--isolation', 'chroot', PLAIN, ...anyImage(stage), '--pull-always'];
  return runClient(stage, program, [...storageOf(stage, 'buildah'), ...bud, ...args]);
}

const DOCKER: ContainerClient = {
  peer: 'docker',
  unable: async (stage, program) => {
    const { code } = await runClient(stage, program, ['info']);
    return code === 0 ? null : 'no Docker engine answers';
  },
  login: (stage, program, host, token) =>
    runClient(stage, program, ['login', '-u', 'token', '-p', token, host]),
  push: async (stage, program, image) => {
    const scratch = await writeScratch(stage);
    const built = await runClient(stage, program, ['build', '-t', image, scratch]);
    return built.code === 0 ? runClient(stage, program, ['push', image]) : built;
  },
  pull: async (stage, program, image) => {
    await runClient(stage, program, ['rmi', '--force', image]);
    return runClient(stage, program, ['pull', image]);
  },
};

const CRANE: ContainerClient = {
  peer: 'crane',
  unable: able,
  login: (stage, program, host, token) =>
    runClient(stage, program, ['auth', 'login', '-u', 'token', '-p', token, host]),
  push: (stage, program, image) =>
    runClient(stage, program, ['push', '--insecure', stage.path(LAYOUT), image]),
  pull: (stage, program, image) =>
    runClient(stage, program, [
      ...['pull', '--insecure', '--format', 'oci', image, pulledInto(stage, image)],
    ]),
};

/** The clients that a gateway is tried with; each as its users have it. */
export const CLIENTS: readonly ContainerClient[] = [SKOPEO, PODMAN, BUILDAH, DOCKER, CRANE];
