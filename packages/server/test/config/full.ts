/** A configuration that sets every member. */
export const FULL = `
data: /var/lib/bulla
listen:
  - url: http://127.0.0.1:5000
  - url: https://0.0.0.0
    tls: { certificate: tls/cert.pem, key: tls/key.pem, clientCa: /etc/ca.pem, clientAuth: optional }
origin: https://bulla.example/
storage:
  tables: { postgres: { urlEnv: PG_URL, poolSize: 20 } }
  objects: { folder: /mnt/blobs }
policies: [policies/prod.yaml, /etc/bulla/policies]
trustRoots: { acme: { file: roots/acme.json } }
environment: production
aliases:
  - { from: mirror.example/hub, to: docker.io }
  - { from: Old.example:443, to: new.example }
gateway:
  name: bulla.example
  anonymousPull: false
  upstreams:
    - prefix: hub
      registry: index.docker.io
      usernameEnv: HUB_USER
      passwordEnv: HUB_PASSWORD
      users: [ci, alice]
      ownHosts: [auth.docker.io]
      ca: hub-ca.pem
      timeout: 30s
    - { prefix: dev/local, registry: "127.0.0.1:5001", plainHttp: true, privateAddresses: true }
  tagFreshness: 0s
  cacheMaxAge: 15m
  maxBlobSize: 8GiB
  maxManifestSize: 4MiB
  grace: 2d
  keepUntagged: 30d
  keepCached: 14d
registries:
  - host: Registry.example:443
    usernameEnv: HUB_USER
    passwordEnv: HUB_PASSWORD
    ownHosts: [auth.example]
    ca: registry-ca.pem
    timeout: 5s
  - { host: "10.0.0.7:5000", plainHttp: true, privateAddresses: true }
hooks:
  senders:
    - { kind: harbor, registry: registry.example, tokenEnv: HARBOR_HOOK }
    - { kind: zot, registry: "10.0.0.7:5000", tokenEnv: HARBOR_HOOK }
    - { kind: distribution, registry: other.example, tokenEnv: HARBOR_HOOK }
  namespaces: [prod]
record: { headEvery: 5m, retention: forever, group: 5ms }
streams:
  - name: siem
    url: https://siem.example/in
    format: ecs
    headersEnv: { Authorization: SIEM_TOKEN }
    signingEnv: [NEW_SIGNING, OLD_SIGNING]
    batch: 500
    timeout: 30s
    retryFor: 12h
    ca: siem-ca.pem
    from: beginning
  - name: on-call
    urlEnv: SLACK_URL
    format: slack
    headers: { X-Team: security }
    priority: 2
    filter:
      effects: [deny]
      policies: [prod]
      repositories: ["registry.example/prod/**"]
      namespaces: [shop]
      surfaces: [pull, admission]
      acts: ["exception.*", "break-glass.*"]
  - { name: local, url: "http://collector:8080/", plainHttp: true, privateAddresses: true }
  - { name: own, url: "https://own.example/", format: template, template: alert.json }
access: { session: 1h, sessionIdle: 30m, tokenMax: 90d }
limits:
  requestsPerSecond: 50
  burst: 100
  connections: 10
  connectionsPerCaller: 5
  headerSize: 16KiB
  drain: 30s
kubernetes:
  kubeconfig: /etc/bulla/kubeconfig
  context: prod
  namespace: trust
  policies: false
  clusterImagePolicies: true
  notReadyAfter: 10m
  certificates:
    folder: tls/webhook
    service: bulla
    names: [hooks.example, 10.0.0.1]
    secret: bulla-webhook-tls
    keyType: rsa
    mutating: [bulla]
    validating: [bulla]
    providers: [bulla]
    checkEvery: 1m
gatekeeper:
  listen: https://0.0.0.0:8444
  certificate: tls/gatekeeper.pem
  key: tls/gatekeeper.key
  clientCa: /etc/gatekeeper/ca.crt
  reference: digest
  deadline: 1500ms
admission:
  listen: https://0.0.0.0:8443
  certificate: tls/webhook/tls.crt
  key: tls/webhook/tls.key
  clientCa: /etc/api-server/ca.crt
  cluster: prod-eu
  pin: digest
  nodesPullThrough: true
  namespaces: [team-*, shop]
  exempt:
    - { namespace: kube-system }
    - { namespace: bulla-system, images: [registry.example/bulla/**] }
  kinds:
    - { group: argoproj.io, kind: Rollout, podTemplates: [spec.template] }
    - { group: tekton.dev, kind: Task, images: ["spec.steps[*].image"] }
  margin: 1s
  maxBody: 16MiB
  denials: policy-controller
log: { level: warn }
telemetry: { otlpEndpoint: "http://127.0.0.1:4318" }
metrics: { tokenEnv: SCRAPE_TOKEN }
only: [gateway, api]
`;

/** The variables that it names. */
export const ENVIRONMENT = {
  PG_URL: 'postgres://bulla:s3cret@db.example/bulla',
  HUB_USER: 'acme',
  HUB_PASSWORD: 'hunter2-hunter2',
  HARBOR_HOOK: 'another-token-that-is-long',
  SCRAPE_TOKEN: 'a-token-that-is-long-enough',
  SIEM_TOKEN: 'Bearer hunter2-for-the-siem',
  NEW_SIGNING: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  OLD_SIGNING: 'raw text of 24 bytes, and more',
  SLACK_URL: 'https://hooks.slack.example/services/T0/B0/hunter2',
  TWO_LINES: 'a\nb',
  SHORT_SIGNING: 'whsec_c2hvcnQ=',
  EMPTY: '',
  SHORT: 'short',
  NOT_PG: 'https://db.example/',
} as const;
