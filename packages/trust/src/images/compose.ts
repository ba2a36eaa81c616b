import { printable } from '../fault/fault.ts';
import { memberOf, textOf, valueAt } from './members.ts';
import type { NamedImages } from './named-image.ts';
import { replaceVariables, type Variables } from './variables.ts';

/** Whether a document is a Compose file: it has services, and no kind. */
export function isCompose(value: unknown): boolean {
  const services = memberOf(value, 'services');
  return memberOf(value, 'kind') === undefined && typeof services === 'object' && services !== null;
}

/**
 * The images of a Compose file's services and of their image volumes, with their variables replaced.
 * A service that is built here and names no image is noted: gate its Dockerfile. Throws
 * `images.manifest-malformed`, `images.variable-unset`.
 */
export function composeImages(value: unknown, file: string, variables: Variables): NamedImages {
  const notes: string[] = [];
  const services = memberOf(value, 'services');
  const entries = typeof services === 'object' && services !== null ? Object.entries(services) : [];
  const images = entries.flatMap(([name, service]) => {
    const where = `service ${printable(name)}: image`;
    const text = textOf(memberOf(service, 'image'), where);
    const isBuilt = memberOf(service, 'build') !== undefined;
    if (isBuilt)
      notes.push(`${file}: service ${printable(name)} is built here: gate its Dockerfile`);
    const volumes = imageVolumes(service, printable(name), variables);
    if (text === undefined || isBuilt) return volumes;
    return [{ reference: replaceVariables(text, variables, where), where }, ...volumes];
  });
  return { images, notes };
}

function imageVolumes(service: unknown, name: string, variables: Variables) {
  const volumes = memberOf(service, 'volumes');
  if (!Array.isArray(volumes)) return [];
  return volumes.flatMap((volume, index) => {
    if (valueAt(volume, ['type']) !== 'image') return [];
    const where = `service ${name}: volumes[${index}].source`;
    const text = textOf(memberOf(volume, 'source'), where);
    return text === undefined
      ? []
      : [{ reference: replaceVariables(text, variables, where), where }];
  });
}
