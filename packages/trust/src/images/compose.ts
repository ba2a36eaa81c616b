import { printable, TrustFault } from '../fault/fault.ts';
import { memberOf, textOf, valueAt } from './members.ts';
import type { NamedImage, NamedImages } from './named-image.ts';
import { replaceVariables, type Variables } from './variables.ts';

/** Whether a document is a Compose file: it has services or names files that have, and no kind. */
export function isCompose(value: unknown): boolean {
  const services = memberOf(value, 'services');
  const isOne =
    (typeof services === 'object' && services !== null) || isThere(memberOf(value, 'include'));
  return memberOf(value, 'kind') === undefined && isOne;
}

/**
 * The images of a Compose file's services, of their image volumes and of the contexts of their
 * builds, with their variables replaced. A service that is built here is noted: gate its Dockerfile;
 * its image is one all the same, unless its `pull_policy` is `build` or `never`.
 * Throws `images.manifest-malformed`, also for services that stand in other files, and
 * `images.variable-unset`.
 */
export function composeImages(value: unknown, file: string, variables: Variables): NamedImages {
  if (isThere(memberOf(value, 'include'))) throw elsewhere(`${file}: include`);
  const notes: string[] = [];
  const services = memberOf(value, 'services');
  const entries = typeof services === 'object' && services !== null ? Object.entries(services) : [];
  const images = entries.flatMap(([key, service]) => {
    const name = `service ${printable(key)}`;
    if (isThere(valueAt(service, ['extends', 'file']))) {
      throw elsewhere(`${file}: ${name}: extends.file`);
    }
    const isBuilt = isThere(memberOf(service, 'build'));
    if (isBuilt) notes.push(`${file}: ${name} is built here: gate its Dockerfile`);
    // Whoever holds a cache decides what is taken for a step's result.
    if (isThere(valueAt(service, ['build', 'cache_from']))) {
      notes.push(`${file}: ${name} takes parts of its build from a cache that is not judged`);
    }
    const own = !isBuilt || mayBePulled(service) ? ownImage(service, name) : [];
    const all = [...own, ...buildContexts(service, name, file), ...imageVolumes(service, name)];
    return all.map(({ reference, where }) => ({
      reference: replaceVariables(reference, variables, where),
      where,
    }));
  });
  return { images, notes };
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** What nobody judged must not pass as part of what was. */
function elsewhere(where: string): TrustFault {
  return new TrustFault(
    'images.manifest-malformed',
    `expected every service in the file itself, found others at ${where}`,
    'Gate what `docker compose config` prints: it has them all.',
  );
}

/** Of a service that is built, Compose pulls the image first (Compose, "Using build and image"). */
function mayBePulled(service: unknown): boolean {
  const policy = memberOf(service, 'pull_policy');
  return policy !== 'build' && policy !== 'never';
}

function ownImage(service: unknown, name: string): readonly NamedImage[] {
  const where = `${name}: image`;
  const reference = textOf(memberOf(service, 'image'), where);
  return reference === undefined ? [] : [{ reference, where }];
}

const IMAGE_CONTEXT = /^docker-image:(?:\/\/)?(.*)$/s;

/** Images that take the place of a stage or of an image of the Dockerfile. */
function buildContexts(service: unknown, name: string, file: string): readonly NamedImage[] {
  if (isThere(valueAt(service, ['build', 'dockerfile_inline']))) {
    throw new TrustFault(
      'images.manifest-malformed',
      `expected a Dockerfile in a file, found one in ${file}: ${name}: build.dockerfile_inline`,
      'Write the Dockerfile into a file, and gate it by --dockerfile.',
    );
  }
  const where = `${name}: build.additional_contexts`;
  const contexts = valueAt(service, ['build', 'additional_contexts']);
  const texts = typeof contexts === 'object' && contexts !== null ? Object.values(contexts) : [];
  return texts.flatMap((value) => {
    const text = textOf(value, where) ?? '';
    const context = Array.isArray(contexts) ? text.slice(text.indexOf('=') + 1) : text;
    const [, reference] = IMAGE_CONTEXT.exec(context) ?? [];
    return reference === undefined ? [] : [{ reference, where }];
  });
}

function imageVolumes(service: unknown, name: string): readonly NamedImage[] {
  const volumes = memberOf(service, 'volumes');
  if (!Array.isArray(volumes)) return [];
  return volumes.flatMap((volume, index) => {
    if (valueAt(volume, ['type']) !== 'image') return [];
    const where = `${name}: volumes[${index}].source`;
    const reference = textOf(memberOf(volume, 'source'), where);
    return reference === undefined ? [] : [{ reference, where }];
  });
}
