import { asFault, printable, TrustFault } from '../fault/fault.ts';
import { writePath } from './field-path.ts';
import { itemsOf, memberOf, textOf, valueAt } from './members.ts';
import type { NamedImages } from './named-image.ts';
import { inventoryObject, type ObjectInventory } from './object-images.ts';

/**
 * The images of one Kubernetes object, or of a List of them, by the inventory that admission has
 * (`object-images.ts`). Kinds that are not known are noted. Throws `images.manifest-malformed`.
 */
export function objectImages(object: unknown, file: string): NamedImages {
  const kind = memberOf(object, 'kind');
  if (typeof kind !== 'string') {
    return { images: [], notes: [`${file}: a document without a kind was passed over`] };
  }
  const items = memberOf(object, 'items');
  const isList = kind.endsWith('List') && items !== undefined;
  // To kubectl whatever has items is a list, and what it says of itself beside them counts for nothing.
  const listed = isList || Array.isArray(items) ? itemsOf(items, `${file}: items`) : [];
  const found = listed.map((item) =>
    // The members of a typed list may leave their kind out.
    objectImages({ kind: kind.replace(/List$/, ''), ...asObject(item) }, file),
  );
  if (!isList) found.push(ownImages(object, kind, file));
  return {
    images: found.flatMap(({ images }) => images),
    notes: found.flatMap(({ notes }) => notes),
  };
}

function ownImages(object: unknown, kind: string, file: string): NamedImages {
  const name =
    valueAt(object, ['metadata', 'name']) ?? valueAt(object, ['metadata', 'generateName']);
  const label = printable(typeof name === 'string' ? `${kind} ${name}` : kind);
  const version = memberOf(object, 'apiVersion') ?? 'v1';
  // A version that is no text is none of Kubernetes' own.
  const apiVersion = typeof version === 'string' ? version : '?';
  const { images, unread } = labelled(label, () => inventoryObject(object, apiVersion, kind));
  const named = images.flatMap(({ reference, path }) => {
    const where = `${label}: ${writePath(path)}`;
    const text = textOf(reference, where);
    return text === undefined ? [] : [{ reference: text, where }];
  });
  const notes = unread ? [`${file}: ${label} may name images, and its kind is not known`] : [];
  return { images: named, notes };
}

/** Faults of an object name it: a file has many. */
function labelled(label: string, read: () => ObjectInventory): ObjectInventory {
  try {
    return read();
  } catch (cause) {
    const { code, message, remedy } = asFault(cause);
    throw new TrustFault(code, `${label}: ${message}`, remedy, { cause });
  }
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
