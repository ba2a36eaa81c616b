/** Faults of the server's configuration. */
export const CONFIG_CODES = {
  'config.invalid': {
    status: 500,
    exit: 2,
    means: 'The configuration file is not YAML, or a member has a value that it cannot have.',
    remedy: 'Correct the line that the message names; `bulla config check` shows every problem.',
  },
  'config.unknown-member': {
    status: 500,
    exit: 2,
    means: 'The configuration has a member that this release does not know.',
    remedy: 'Correct its name to the one that the message suggests, or remove it.',
  },
  'config.environment-unset': {
    status: 500,
    exit: 2,
    means: 'The configuration names an environment variable that is not set or is empty.',
    remedy: 'Set the variable for the server, or take its name out of the configuration.',
  },
  'config.unreadable': {
    status: 500,
    exit: 2,
    means: 'The configuration file, or a file that it names, cannot be read.',
    remedy: 'Give the path of a file that the server may read.',
  },
  'config.telemetry-missing': {
    status: 500,
    exit: 2,
    means: 'Telemetry is configured, but the OpenTelemetry SDK is not installed.',
    remedy:
      'Install `@opentelemetry/sdk-node` and `@opentelemetry/api` beside the server, or remove `telemetry`.',
  },
} as const;
