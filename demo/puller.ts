import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A client that pulls: its program, and the arguments that pull an image. */
export interface Puller {
  readonly program: string;
  readonly args: (image: string) => readonly string[];
}

/** The client that this machine has: skopeo, podman, docker with an engine, else `bulla copy`. */
export function findPuller(folder: string): Puller {
  const policy = join(folder, 'any-image.json');
  // Of podman's and skopeo's own policy: here the gateway decides.
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const layout = (image: string) => `oci:pulled:${image.split(':').at(-1)}`;
  const storage = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
  const pullers: readonly (Puller & { readonly isThere: readonly string[] })[] = [
    {
      program: 'skopeo',
      isThere: ['--version'],
      args: (image) => [
        ...['--policy', policy, 'copy', '--src-tls-verify=false'],
        ...[`docker://${image}`, layout(image)],
      ],
    },
    {
      program: 'podman',
      isThere: [...storage, '--storage-driver', 'vfs', 'info'],
      args: (image) => [
        ...[...storage, '--storage-driver', 'vfs', 'pull', '--tls-verify=false'],
        ...['--signature-policy', policy, image],
      ],
    },
    { program: 'docker', isThere: ['info'], args: (image) => ['pull', image] },
  ];
  const found = pullers.find(({ program, isThere }) => spawnSync(program, isThere).status === 0);
  return found ?? { program: 'bulla', args: (image) => ['copy', image, layout(image)] };
}
