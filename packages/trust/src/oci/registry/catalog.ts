import { parseJson } from '../../bytes/json.ts';
import { asArray, asString, cursor, member } from '../../bytes/shape.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { isRepositoryName } from '../reference.ts';
import type { CallOptions } from '../store.ts';
import type { RawAnswer } from './exchange.ts';
import type { RegistryOptions } from './options.ts';
import { nextPage } from './pages.ts';
import { answerFault, registryClient } from './registry-client.ts';
import { abortOf } from './repository.ts';

const PAGE_BYTES = 8 << 20;
const REPOSITORIES_MOST = 100_000;
const PATH = '/v2/_catalog';

/**
 * Names of all repositories that a registry lists (distribution-spec leaves `_catalog` to registries),
 * without its host, sorted. Throws `registry.*`; one that lists none to this caller answers with an
 * error or with nothing, as it likes.
 */
export async function listRepositories(
  registry: string,
  options: RegistryOptions,
  call?: CallOptions,
): Promise<readonly string[]> {
  const client = registryClient(registry, options);
  const names: string[] = [];
  let url: string | URL | undefined = PATH;
  for (let page = 0; url !== undefined; page++) {
    const answer: RawAnswer = await client.send({
      method: 'GET',
      url,
      scope: 'registry:catalog:*',
      wholeBytes: PAGE_BYTES,
      ...abortOf(call),
    });
    if (answer.status !== 200) throw await answerFault(answer, `repositories of ${registry}`);
    names.push(...(await readNames(answer, registry)));
    if (names.length > REPOSITORIES_MOST) {
      const says = `${registry} has more than ${REPOSITORIES_MOST} repositories`;
      throw new TrustFault('registry.limit', says);
    }
    url = nextPage(answer, page);
  }
  return [...new Set(names)].sort();
}

async function readNames(answer: RawAnswer, registry: string): Promise<readonly string[]> {
  const where = `repositories of ${registry}`;
  try {
    const value = parseJson(await answer.read(PAGE_BYTES), where, { maxBytes: PAGE_BYTES });
    const at = member(cursor(value, '', 'registry.malformed-answer'), 'repositories');
    const names = at.value === null ? [] : asArray(at, asString, REPOSITORIES_MOST);
    const wrong = names.find((name) => !isRepositoryName(name));
    if (wrong === undefined) return names;
    throw new TrustFault('registry.malformed-answer', `${where}: ${quote(wrong)} is no name`);
  } catch (cause) {
    if (!(cause instanceof TrustFault) || cause.code.startsWith('registry.')) throw cause;
    const says = `${where}: expected a list`;
    throw new TrustFault('registry.malformed-answer', says, undefined, { cause });
  }
}
