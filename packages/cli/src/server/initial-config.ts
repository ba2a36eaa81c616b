/**
 * What `bulla config init` prints. It works as it is; a line that begins with `#` and no space is a
 * member with its default or an example, and prose has the space.
 */
export const INITIAL_CONFIG = `# bulla.yaml: the configuration of \`bulla serve\`. Nothing is required and every default is safe.
# Check it with \`bulla config check bulla.yaml\`; docs/configuration.md has every member.
# Paths start from the folder of this file. Secrets stand in environment variables, named here.

# Where everything is kept, for the server's user alone.
data: bulla-data

# Where to listen. Plain HTTP is for this machine only; https:// without tls has a certificate of the
# server's own authority, DATA/tls/ca.pem.
listen:
  - url: http://127.0.0.1:5000
  - url: https://127.0.0.1:5443
#  - url: https://0.0.0.0:443
#    tls: { certificate: tls/server.pem, key: tls/server-key.pem }

# What clients call this server, where that is not what it listens on.
#origin: https://bulla.example

# Files and folders of policies. Without any, every pull is refused: write the first with
# \`bulla policy init --key release.pub --file policies/first.yaml\`.
#policies: [policies]

# Which tier this server serves, for policies that name some.
#environment: production

gateway:
  # The name by which policies know the images that are pushed here.
  name: 127.0.0.1:5000
  # Whether pulling needs no credentials: true, false, or loopback for callers on this machine.
  anonymousPull: loopback
  # Registries that are pulled through: PREFIX/rest here is REGISTRY/rest there.
#  upstreams:
#    - prefix: hub
#      registry: docker.io
#    - prefix: ghcr
#      registry: ghcr.io
#      usernameEnv: GHCR_USER
#      passwordEnv: GHCR_TOKEN
#      users: signed-in

# Rows in PostgreSQL and objects in a folder that all replicas share, instead of the data folder.
#storage:
#  tables: { postgres: { urlEnv: BULLA_POSTGRES_URL } }
#  objects: { folder: /srv/bulla }

record:
  # How long decisions are kept: 365d, or forever.
  retention: 365d

log:
  # debug, info, warn, error or silent; lines of JSON on standard error.
  level: info

# Who reads /metrics beside this machine.
#metrics: { tokenEnv: BULLA_METRICS_TOKEN }
`;
