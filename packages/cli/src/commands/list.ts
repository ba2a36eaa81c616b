import type { CommandEntry } from './command-module.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'verify',
    summary: 'verify the signatures or attestations of images and other artifacts',
    load: () => import('./verify.ts'),
  },
  {
    name: 'sign',
    summary: 'sign images and other artifacts in a registry or layout',
    load: () => import('./sign.ts'),
  },
  {
    name: 'attest',
    summary: 'attach a signed statement (SBOM, provenance, scan) to an artifact',
    load: () => import('./attest.ts'),
  },
  {
    name: 'blob',
    summary: 'sign, attest and verify files',
    load: () => import('./blob.ts'),
  },
  {
    name: 'key',
    summary: 'make, import and inspect signing keys',
    load: () => import('./key.ts'),
  },
  {
    name: 'tree',
    summary: 'show an artifact, its platforms, and everything attached to each',
    load: () => import('./tree.ts'),
  },
  {
    name: 'inspect',
    summary: 'explain signatures, attestations, bundles, keys and trust roots',
    load: () => import('./inspect.ts'),
  },
  {
    name: 'copy',
    summary: 'copy an artifact with all its signatures, attestations and referrers',
    load: () => import('./copy.ts'),
  },
  {
    name: 'save',
    summary: 'write artifacts with all their evidence into a parcel for offline use',
    load: () => import('./save.ts'),
  },
  {
    name: 'load',
    summary: 'push what a parcel holds into a registry',
    load: () => import('./load.ts'),
  },
  {
    name: 'clean',
    summary: 'remove signatures, attestations and referrers of an artifact',
    load: () => import('./clean.ts'),
  },
  {
    name: 'doctor',
    summary: 'examine a registry and mend its lists of referrers',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'login',
    summary: 'store credentials for a registry',
    load: () => import('./login.ts'),
  },
  {
    name: 'logout',
    summary: 'remove the stored credentials of a registry',
    load: () => import('./logout.ts'),
  },
  {
    name: 'policy',
    summary:
      'write, check, explain, test and simulate the policies that say what images must carry',
    load: () => import('./policy.ts'),
  },
  {
    name: 'gate',
    summary: 'decide by policies about images, and about those of a Dockerfile or manifest',
    load: () => import('./gate.ts'),
  },
  {
    name: 'exception',
    summary: 'ask for, approve and check exceptions from what policies require',
    load: () => import('./exception.ts'),
  },
  {
    name: 'break-glass',
    summary: 'let an image in for a short time by the key that the policy keeps for that',
    load: () => import('./break-glass.ts'),
  },
  {
    name: 'up',
    summary: 'start everything: a registry that refuses what is not signed, and its console',
    load: () => import('./up.ts'),
  },
  {
    name: 'serve',
    summary: 'start the server that a configuration describes',
    load: () => import('./serve.ts'),
  },
  {
    name: 'node',
    summary: 'have containerd ask about each image of a node',
    load: () => import('./node.ts'),
  },
  {
    name: 'config',
    summary: 'begin and check the configuration of a server',
    load: () => import('./config.ts'),
  },
  {
    name: 'user',
    summary: 'say who may use a server, there or offline on its data',
    load: () => import('./user.ts'),
  },
  {
    name: 'token',
    summary: 'make and revoke the tokens that programs log in with',
    load: () => import('./token.ts'),
  },
  {
    name: 'decisions',
    summary: 'search and explain what a server decided',
    load: () => import('./decisions.ts'),
  },
  {
    name: 'record',
    summary: 'prove, export and prune the record of decisions',
    load: () => import('./record.ts'),
  },
  {
    name: 'completion',
    summary: 'print a completion script for bash, zsh or fish',
    // It completes all of these, and would be a cycle if it asked for them itself.
    load: async () => {
      const { configure } = await import('./completion.ts');
      return { configure: (command, context) => configure(command, context, COMMANDS) };
    },
  },
];
