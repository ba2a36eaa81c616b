import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import {
  addProblem,
  addUnexpected,
  listOf,
  memberOf,
  oneOf,
  type Read,
  readText,
} from '@bulla/trust/bytes/yaml/read';
import { CONFIG_DEFAULTS, HOOK_KINDS, type HookSender, type HooksSection } from './config.ts';
import { readRegistryHost } from './registries.ts';
import type { Secret } from './secret.ts';

const UNKNOWN = 'config.unknown-member';
/** As long as 96 bits in base64: it must not be guessed by trying. */
const TOKEN_SHORTEST = 16;

/** Whose push events are taken, and for which namespaces admission is prepared. */
export function hooksOf(readSecret: Read<Secret>): Read<HooksSection> {
  const given = CONFIG_DEFAULTS.hooks;
  const readSenders = listOf(senderOf(readSecret), { min: 1, max: 100 });
  return (at) =>
    readFields(
      at,
      {
        senders: optional(readDistinct(readSenders), given.senders),
        namespaces: optional(listOf(readNamespace, { max: 32 }), given.namespaces),
      },
      UNKNOWN,
    );
}

function senderOf(readSecret: Read<Secret>): Read<HookSender> {
  return (at) => {
    const fields = readFields(
      at,
      {
        kind: required(oneOf(HOOK_KINDS)),
        registry: required(readRegistryHost),
        tokenEnv: required(readSecret),
      },
      UNKNOWN,
    );
    if (fields === undefined) return undefined;
    const { kind, registry, tokenEnv } = fields;
    if (tokenEnv.reveal().length >= TOKEN_SHORTEST) return { kind, registry, token: tokenEnv };
    const message = `expected ${tokenEnv.variable} to hold at least ${TOKEN_SHORTEST} characters`;
    return addProblem(memberOf(at, 'tokenEnv'), message);
  };
}

/** The token tells the sender, so of one kind no two may have the same. */
function readDistinct(read: Read<readonly HookSender[]>): Read<readonly HookSender[]> {
  return (at) => {
    const senders = read(at);
    const keys = (senders ?? []).map(({ kind, token }) => `${kind} ${token.reveal()}`);
    if (new Set(keys).size === keys.length) return senders;
    return addProblem(at, `expected a token of its own for each sender at ${at.place.path}`);
  };
}

/** A Kubernetes namespace (RFC 1123 label). */
const readNamespace: Read<string> = (at) => {
  const text = readText(at);
  if (text === undefined || /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  return addUnexpected(at, 'a namespace of a cluster');
};
