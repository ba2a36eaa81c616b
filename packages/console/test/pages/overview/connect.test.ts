import { describe, expect, test } from 'vitest';
import { clientGuides, isLoopback } from '../../../src/pages/overview/connect.ts';

const textOf = (client: string, origin: string, privateCa: boolean): string =>
  clientGuides({ origin, privateCa })
    .filter((guide) => guide.client === client)
    .flatMap(({ steps }) => steps.map(({ text }) => text))
    .join('\n');

const CLIENTS = ['docker', 'podman', 'containerd', 'skopeo', 'cosign', 'bulla', 'Kubernetes'];

test('there is a guide for each client, and each step does something', () => {
  const guides = clientGuides({ origin: 'https://bulla.example', privateCa: false });
  expect(guides.map(({ client }) => client)).toEqual(CLIENTS);
  for (const { steps } of guides) {
    for (const { says, text } of steps) {
      expect(says).not.toBe('');
      expect(text).not.toBe('');
    }
  }
});

describe.each(CLIENTS)('%s', (client) => {
  test('is sent to the host and its port, without the scheme where an image is named', () => {
    const text = textOf(client, 'https://bulla.example:5443', true);
    expect(text).toContain('bulla.example:5443/REPOSITORY');
    expect(text).not.toContain('https://bulla.example:5443/REPOSITORY');
  });

  test('is told to check certificates wherever there is TLS', () => {
    const text = textOf(client, 'https://bulla.example', true);
    expect(text).not.toMatch(/tls-verify=false|plain-http|allow-http|insecure(?!-ignore-tlog)/);
  });
});

test.each([
  ['docker', '/etc/docker/certs.d/bulla.example/ca.crt'],
  ['podman', '/etc/containers/certs.d/bulla.example/ca.crt'],
  ['skopeo', '/etc/containers/certs.d/bulla.example/ca.crt'],
  ['containerd', 'ca = "/etc/containerd/certs.d/bulla.example/ca.crt"'],
  ['cosign', '--registry-cacert bulla-ca.crt'],
  ['bulla', '--registry-cacert bulla-ca.crt'],
])('%s learns of an own authority, and only of one', (client, words) => {
  expect(textOf(client, 'https://bulla.example', true)).toContain(words);
  expect(textOf(client, 'https://bulla.example', false)).not.toContain(words);
});

test.each([
  ['podman', '--tls-verify=false'],
  ['skopeo', '--src-tls-verify=false'],
  ['cosign', '--allow-http-registry'],
])('%s is told of plain HTTP on loopback', (client, words) => {
  expect(textOf(client, 'http://127.0.0.1:5000', false)).toContain(words);
});

test('bulla takes plain HTTP on loopback for granted', () => {
  expect(textOf('bulla', 'http://127.0.0.1:5000', true)).not.toMatch(/plain-http|cacert/);
  expect(isLoopback('localhost:5000')).toBe(true);
  expect(isLoopback('[::1]:5000')).toBe(true);
  expect(isLoopback('127.0.0.1.example')).toBe(false);
});
