/** An image that a file names, and where. */
export interface NamedImage {
  /** The reference as the file gives it, its variables replaced. */
  readonly reference: string;
  /** For people: `line 3 (FROM)`, `Deployment web: spec.template.spec.containers[0].image`. */
  readonly where: string;
}

/** Everything in a file that an image could stand in. */
export interface NamedImages {
  readonly images: readonly NamedImage[];
  /** What was passed over, one sentence each: kinds that are not known to hold images. */
  readonly notes: readonly string[];
}
