import type { Descriptor } from './descriptor.ts';

/** The platform of a descriptor as people write it: `linux/arm64/v8`. Foreign text. */
export function platformName(descriptor: Pick<Descriptor, 'platform'>): string {
  const { os = '', architecture = '', variant } = descriptor.platform ?? {};
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}
