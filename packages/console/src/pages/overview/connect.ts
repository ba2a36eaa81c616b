/** A way to connect one client: commands in the order in which they are typed. */
export interface ClientGuide {
  readonly client: string;
  readonly steps: readonly GuideStep[];
}

/** One step: what it does, and what is typed or written for it. */
export interface GuideStep {
  readonly says: string;
  readonly text: string;
}

/** What the guides depend on. */
export interface ConnectFacts {
  /** `https://bulla.example:5443`. */
  readonly origin: string;
  /** Whether clients must be told of the server's own certificate authority. */
  readonly privateCa: boolean;
}

/** What stands for the reader's own repository and tag. */
const IMAGE = 'REPOSITORY:TAG';
const CA_FILE = 'bulla-ca.crt';
const SIGN_IN = 'Sign in; the password is a token';

interface Place extends ConnectFacts {
  readonly host: string;
  readonly plain: boolean;
}

/** Guides for every client, for a server at this origin. */
export function clientGuides(facts: ConnectFacts): readonly ClientGuide[] {
  const url = new URL(facts.origin);
  const plain = url.protocol === 'http:';
  const place = { ...facts, host: url.host, plain };
  return [
    docker(place),
    podman(place),
    containerd(place),
    skopeo(place),
    cosign(place),
    bulla(place),
    kubernetes(place),
  ];
}

function trust(place: Place, folder: string, says: string): readonly GuideStep[] {
  if (!place.privateCa || place.plain) return [];
  const to = `${folder}/${place.host}`;
  return [{ says, text: `sudo mkdir -p ${to}\nsudo cp ${CA_FILE} ${to}/ca.crt` }];
}

function docker(place: Place): ClientGuide {
  const { host } = place;
  return {
    client: 'docker',
    steps: [
      ...trust(place, '/etc/docker/certs.d', 'Let the engine trust this server’s certificate'),
      { says: SIGN_IN, text: `docker login -u token ${host}` },
      {
        says: 'Push an image, with a token that may',
        text: `docker tag app:v1 ${host}/${IMAGE}\ndocker push ${host}/${IMAGE}`,
      },
      { says: 'Pull: what no policy admits is refused', text: `docker pull ${host}/${IMAGE}` },
    ],
  };
}

function podman(place: Place): ClientGuide {
  const { host } = place;
  const flag = place.plain ? ' --tls-verify=false' : '';
  return {
    client: 'podman',
    steps: [
      ...trust(
        place,
        '/etc/containers/certs.d',
        'Let podman, buildah and skopeo trust this server’s certificate',
      ),
      { says: SIGN_IN, text: `podman login${flag} -u token ${host}` },
      {
        says: 'Push an image, with a token that may',
        text: `podman push${flag} app:v1 ${host}/${IMAGE}`,
      },
      {
        says: 'Pull: what no policy admits is refused',
        text: `podman pull${flag} ${host}/${IMAGE}`,
      },
      { says: 'Build on an image that was admitted', text: `buildah build${flag} .` },
    ],
  };
}

function containerd(place: Place): ClientGuide {
  const { host, origin } = place;
  const folder = `/etc/containerd/certs.d/${host}`;
  const ca = place.privateCa && !place.plain;
  const lines = [
    `server = "${origin}"`,
    '',
    `[host."${origin}"]`,
    '  capabilities = ["pull", "resolve"]',
    ...(ca ? [`  ca = "${folder}/ca.crt"`] : []),
  ];
  return {
    client: 'containerd',
    steps: [
      ...trust(place, '/etc/containerd/certs.d', 'Lay down this server’s certificate'),
      {
        says: 'Say where the registry is',
        text: `sudo mkdir -p ${folder}\nsudo tee ${folder}/hosts.toml <<'END'\n${lines.join('\n')}\nEND`,
      },
      {
        says: 'Pull',
        text: `sudo ctr images pull --hosts-dir /etc/containerd/certs.d ${host}/${IMAGE}`,
      },
    ],
  };
}

function skopeo(place: Place): ClientGuide {
  const { host } = place;
  const flag = place.plain ? ' --tls-verify=false' : '';
  const source = place.plain ? ' --src-tls-verify=false' : '';
  const target = place.plain ? ' --dest-tls-verify=false' : '';
  return {
    client: 'skopeo',
    steps: [
      ...trust(
        place,
        '/etc/containers/certs.d',
        'Let skopeo, podman and buildah trust this server’s certificate',
      ),
      { says: SIGN_IN, text: `skopeo login${flag} -u token ${host}` },
      {
        says: 'Push an image that lies in a folder, with a token that may',
        text: `skopeo copy${target} oci:./image docker://${host}/${IMAGE}`,
      },
      { says: 'Look at an image', text: `skopeo inspect${flag} docker://${host}/${IMAGE}` },
      {
        says: 'Pull it into a folder',
        text: `skopeo copy${source} docker://${host}/${IMAGE} oci:./image`,
      },
    ],
  };
}

function cosign(place: Place): ClientGuide {
  const { host } = place;
  const flag = place.plain
    ? ' --allow-http-registry'
    : place.privateCa
      ? ` --registry-cacert ${CA_FILE}`
      : '';
  return {
    client: 'cosign',
    steps: [
      {
        says: 'Make a key; its cosign.pub is what a policy names',
        text: 'cosign generate-key-pair',
      },
      {
        says: 'Sign in with a token that may pull, push and sign; it stands in token.txt',
        text: `cosign login ${host} --username token --password-stdin < token.txt`,
      },
      {
        says: 'Sign an image that was pushed here, without writing to the public log (cosign 3)',
        text: `cosign sign${flag} --use-signing-config=false --tlog-upload=false \\\n  --key cosign.key ${host}/REPOSITORY@DIGEST`,
      },
      {
        says: 'Verify it; no log was written to, so none is asked',
        text: `cosign verify${flag} --insecure-ignore-tlog --key cosign.pub ${host}/REPOSITORY@DIGEST`,
      },
    ],
  };
}

function bulla(place: Place): ClientGuide {
  const { host, origin } = place;
  const isOwn = place.privateCa && !place.plain;
  const ca = isOwn ? ` --registry-cacert ${CA_FILE}` : '';
  const http = place.plain && !isLoopback(host) ? ' --plain-http' : '';
  const flag = `${ca}${http}`;
  return {
    client: 'bulla',
    steps: [
      {
        says: 'Make a key; its bulla.pub is what a policy names',
        text: 'bulla key generate',
      },
      {
        says: 'Sign in; the password is a token that may pull, push and sign',
        text: `bulla login${flag} ${host} --username token`,
      },
      {
        says: 'Sign an image that was pushed here',
        text: `bulla sign${flag} --key bulla.key ${host}/REPOSITORY@DIGEST`,
      },
      {
        says: 'Ask why an image was refused: the refusal names the decision, and BULLA_TOKEN holds a token that reads decisions',
        text: `bulla decisions explain DECISION --server ${origin}${isOwn ? ` --cacert ${CA_FILE}` : ''}`,
      },
    ],
  };
}

function kubernetes(place: Place): ClientGuide {
  const { host } = place;
  return {
    client: 'Kubernetes',
    steps: [
      {
        says: 'Prepare each node as the guide for containerd says, then keep a token in the namespace',
        text: `kubectl create secret docker-registry bulla \\\n  --docker-server=${host} --docker-username=NAME --docker-password=TOKEN`,
      },
      {
        says: 'Let the namespace’s Pods pull with it',
        text: `kubectl patch serviceaccount default \\\n  -p '{"imagePullSecrets":[{"name":"bulla"}]}'`,
      },
      { says: 'Run an image', text: `kubectl run app --image=${host}/${IMAGE}` },
    ],
  };
}

/** Whether clients take plain HTTP to this host for granted. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);
}
