import type { ImageFields } from '@bulla/trust/images/object-images';
import type { Pattern } from '@bulla/trust/policy/pattern';

/** What is not asked about: all of some namespaces, or some images in them. */
export interface Exemption {
  readonly namespace: Pattern;
  /** Canonical names; null: every image. */
  readonly images: readonly Pattern[] | null;
}

/** How an image that was named by a tag is written after it was decided about. */
export type PinMode = 'tag-and-digest' | 'digest' | 'none';

/** What admission may use, and how it answers. */
export interface AdmissionConfig {
  /** What the record calls the cluster; null: nothing. */
  readonly cluster: string | null;
  readonly pin: PinMode;
  /** Whether every node pulls through the gateway, which then verifies what a tag leads to (semantics 16). */
  readonly nodesPullThrough: boolean;
  /** Whose objects are looked at; null: those of every namespace. */
  readonly namespaces: readonly Pattern[] | null;
  readonly exempt: readonly Exemption[];
  /** Where objects of the cluster's own kinds keep images. */
  readonly fields: readonly ImageFields[];
  /** The answer is out so long before the API server gives up. */
  readonly marginMs: number;
  /** Of one review, in bytes. An object may have 3 MiB, and an update brings two. */
  readonly maxBodyBytes: number;
  /** Of all reviews that are being read, in bytes. */
  readonly maxHeldBytes: number;
  /** So many images of one object are asked about at a time. */
  readonly parallel: number;
  /** Whether denials begin with what policy-controller would have said. */
  readonly denials: 'bulla' | 'policy-controller';
}

/** What holds where nothing else is configured. */
export const ADMISSION_CONFIG: AdmissionConfig = {
  cluster: null,
  pin: 'tag-and-digest',
  nodesPullThrough: false,
  namespaces: null,
  exempt: [],
  fields: [],
  marginMs: 500,
  maxBodyBytes: 8 << 20,
  maxHeldBytes: 128 << 20,
  parallel: 16,
  denials: 'bulla',
};
