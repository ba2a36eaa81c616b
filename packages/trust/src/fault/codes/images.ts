/** Faults of files that name images: Dockerfiles, Kubernetes objects, Compose files. */
export const IMAGES_CODES = {
  'images.dockerfile-malformed': {
    status: 400,
    exit: 2,
    means: 'A Dockerfile cannot be read as far as its images go.',
    remedy: 'Correct the line that the message names.',
  },
  'images.variable-unset': {
    status: 400,
    exit: 2,
    means:
      'An image is named by a variable that has no value, so nobody can say which image it is.',
    remedy:
      'Give the value with --build-arg NAME=VALUE, in the environment, or as a default in the file.',
  },
  'images.manifest-malformed': {
    status: 400,
    exit: 2,
    means: 'A Kubernetes or Compose file cannot be read, or an image in it is no text.',
    remedy: 'Correct what the message names.',
  },
  'images.none': {
    status: 400,
    exit: 1,
    means: 'A file names no image at all, and nothing is never enough.',
    remedy: 'Give a file that names images, or leave it out.',
  },
} as const;
