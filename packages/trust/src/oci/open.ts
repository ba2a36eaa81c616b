import type { Reference } from './reference.ts';
import type { RegistryOptions } from './registry/options.ts';
import type { ArtifactTarget } from './store.ts';

/** What a store is opened with. */
export interface StoreOptions extends RegistryOptions {
  /** Whether a layout that is not there is made, empty; for the targets of copies. Default false. */
  readonly createLayout?: boolean;
}

/**
 * The store in which `reference` lies; only the code of its kind is loaded. Nothing is sent to a
 * registry yet. A layout may be a folder or a tar archive; the archive answers writes with
 * `layout.read-only`.
 */
export async function openStore(
  reference: Reference,
  options: StoreOptions,
): Promise<ArtifactTarget> {
  if (reference.kind === 'layout') {
    const { openLayout } = await import('./layout/layout-store.ts');
    return openLayout(reference.path, options);
  }
  const { openRegistryStore } = await import('./registry/registry-store.ts');
  return openRegistryStore(reference, options);
}
